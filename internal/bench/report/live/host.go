package live

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// local answers requests that came to a loopback address only if they name this
// machine: a page elsewhere whose own name was made to lead here would read the
// report otherwise (DNS rebinding). At an address that other machines reach, any
// name may be this one's.
func local(at net.Addr, next http.Handler) http.Handler {
	if tcp, ok := at.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !namesLoopback(r.Host) {
			http.Error(w, fmt.Sprintf("this server is not called %q: ask for it as http://%s/", r.Host, at), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// namesLoopback tells whether a request's Host, with a port or without, is an
// address or localhost, neither of which a name server can move.
func namesLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

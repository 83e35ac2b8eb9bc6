package live

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/paceline/paceline/internal/bench/loopback"
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
		if !unmovable(loopback.Asked(r)) {
			http.Error(w, fmt.Sprintf("this server is not called %q: ask for it as http://%s/", r.Host, at), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unmovable tells whether a host is an address or localhost, neither of which a name
// server can lead elsewhere.
func unmovable(host string) bool {
	return net.ParseIP(host) != nil || loopback.Is(host) || strings.HasSuffix(host, ".localhost")
}

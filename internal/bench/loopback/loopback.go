// Package loopback knows this machine's own names from others', for those who answer
// or are asked on it. It resolves no names and knows no ports.
package loopback

import (
	"net"
	"net/http"
	"strings"
)

// Is tells whether a host, without a port, is this machine's loopback: localhost, or
// an address of it.
func Is(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Asked is the host that a request was sent to, in lower case, without its port and
// the brackets of an address. A browser names there what its page's address says: a
// page elsewhere whose name was made to lead here (DNS rebinding) is known by that.
func Asked(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

package live

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHost(t *testing.T) {
	t.Parallel()
	loopback, anywhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9471}, &net.TCPAddr{IP: net.IPv4zero, Port: 9471}
	for _, c := range []struct {
		at   net.Addr
		host string
		want int
	}{
		{loopback, "127.0.0.1:9471", http.StatusOK},
		{loopback, "[::1]:9471", http.StatusOK},
		{loopback, "[::1]", http.StatusOK},
		{loopback, "LocalHost:80", http.StatusOK},
		{loopback, "paceline.localhost", http.StatusOK},
		{loopback, "10.0.0.7:9471", http.StatusOK}, // a tunnel's end
		{loopback, "rebound.example:9471", http.StatusMisdirectedRequest},
		{loopback, "localhost.example", http.StatusMisdirectedRequest},
		{loopback, "", http.StatusMisdirectedRequest},
		{anywhere, "machine.example:9471", http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		local(c.at, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("at %v, Host %q: %d, want %d", c.at, c.host, w.Code, c.want)
		}
	}
}

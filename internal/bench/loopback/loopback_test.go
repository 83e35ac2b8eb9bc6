package loopback

import (
	"net/http"
	"testing"
)

func TestAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header, host string
		loopback     bool
	}{
		{"127.0.0.1:9470", "127.0.0.1", true},
		{"127.8.0.1", "127.8.0.1", true},
		{"[::1]:9470", "::1", true},
		{"[::1]", "::1", true},
		{"LocalHost:80", "localhost", true},
		{"localhost.example", "localhost.example", false},
		{"10.0.0.7:9470", "10.0.0.7", false},
		{"0.0.0.0:80", "0.0.0.0", false},
		{"rebound.example:9470", "rebound.example", false},
		{"", "", false},
	} {
		host := Asked(&http.Request{Host: c.header})
		if host != c.host || Is(host) != c.loopback {
			t.Errorf("Host %q: %q, loopback %v; want %q, %v", c.header, host, Is(host), c.host, c.loopback)
		}
	}
}

package sample

import (
	"net"
	"os"
	"testing"
)

func TestListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{
		"http://127.0.0.1:" + port:            os.Getpid(),
		"http://localhost:" + port + "/embed": os.Getpid(),
		"http://192.0.2.1:" + port:            0, // another machine's port of the same number
		"http://example.org":                  0,
		"http://127.0.0.1:1":                  0,
		"::":                                  0,
	} {
		if got := Listener(url); got != want {
			t.Errorf("%s: process %d, want %d", url, got, want)
		}
	}
}

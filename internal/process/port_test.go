//go:build unix

package process

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

func listen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

func TestTaken(t *testing.T) {
	t.Parallel()
	if port := listen(t); !taken(port) {
		t.Errorf("port %d is not free", port)
	}
}

// TestPorts: the preferred port where it is free, another one where it is not, in
// the command and in the environment alike.
func TestPorts(t *testing.T) {
	t.Parallel()
	busy := listen(t)
	free, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	port, marks, err := choosePorts(Spec{Port: busy, Ports: map[string]int{"{port.grpc}": free}})
	if err != nil {
		t.Fatal(err)
	}
	if port == busy || port == 0 {
		t.Errorf("took port %d, which is busy", port)
	}
	got := strings.Join(replaceAll(marks, []string{"--port", "{port}", "--grpc={port.grpc}"}), " ")
	if want := "--port " + strconv.Itoa(port) + " --grpc=" + strconv.Itoa(free); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if port, err := choosePort(free); err != nil || port != free {
		t.Errorf("port %d, %v: want the preferred %d", port, err, free)
	}
}

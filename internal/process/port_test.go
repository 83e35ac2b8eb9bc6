//go:build unix

package process

import (
	"net"
	"os"
	"runtime"
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

// TestRobbed: another program took the port while the server was loading, and
// answers its probe. It must not pass for the server.
func TestRobbed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("who listens on a port is told by Linux, and a robber ends with the robbed there")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	robbed := spec("robbed", logFile(t))
	robbed.Port = port
	robbed.Env = append(robbed.Env, "PACELINE_TEST_PORT="+strconv.Itoa(port))
	s := start(t, t.Context(), robbed)
	if strings.HasSuffix(s.URL, ":"+strconv.Itoa(port)) {
		t.Errorf("the server is said to be at the robber's %s", s.URL)
	}
	if pid := os.Getpid(); !inGroup(s.PID, s.PID) || inGroup(pid, s.PID) {
		t.Errorf("process %d is no member of group %d", pid, s.PID)
	}
}

//go:build unix

package process

import (
	"net"
	"os"
	"runtime"
	"slices"
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

// free is a port that nobody listens on.
func free(t *testing.T) int {
	t.Helper()
	var chosen ports
	defer chosen.release()
	port, err := chosen.choose(0)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestPorts: the preferred port where it is free, another one where it is not, in
// the command and in the environment alike.
func TestPorts(t *testing.T) {
	t.Parallel()
	busy, free := listen(t), free(t)
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
}

// TestPortsDiffer: one port is never given out twice, preferred or not.
func TestPortsDiffer(t *testing.T) {
	t.Parallel()
	var chosen ports
	defer chosen.release()
	preferred := free(t)
	for i := range 64 {
		if port, err := chosen.choose(preferred * (i % 2)); err != nil || port == 0 {
			t.Fatalf("port %d, %v", port, err)
		}
	}
	numbers := slices.Sorted(slices.Values(chosen.numbers))
	if n := len(slices.Compact(numbers)); n != 64 {
		t.Errorf("%d ports of 64 differ", n)
	}
}

// TestRobbed: another program took the port while the server was loading, and
// answers its probe. It must not pass for the server.
func TestRobbed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("who listens on a port is told by Linux, and a robber ends with the robbed there")
	}
	port := free(t)
	s := start(t, t.Context(), contested("robbed", logFile(t), port))
	if strings.HasSuffix(s.URL, ":"+strconv.Itoa(port)) {
		t.Errorf("the server is said to be at the robber's %s", s.URL)
	}
	if pid := os.Getpid(); !inGroup(s.PID, s.PID) || inGroup(pid, s.PID) {
		t.Errorf("process %d is no member of group %d", pid, s.PID)
	}
}

// TestOutrun: somebody listened on the port just when the server wanted to, and
// has gone since: the server's own words are all there is, and another port is
// taken. One that ends for another reason is not tried again.
func TestOutrun(t *testing.T) {
	t.Parallel()
	port := free(t)
	s := start(t, t.Context(), contested("outrun", logFile(t), port))
	if strings.HasSuffix(s.URL, ":"+strconv.Itoa(port)) {
		t.Errorf("the server is said to be at %s, where it could not listen", s.URL)
	}
}

// contested is a server whose role plays a trick at the port that it prefers.
func contested(role, log string, port int) Spec {
	s := spec(role, log)
	s.Port, s.Ports = port, map[string]int{"{port.other}": port}
	s.Env = append(s.Env, "PACELINE_TEST_PORT="+strconv.Itoa(port))
	return s
}

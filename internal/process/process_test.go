//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary play servers of every character.
func TestMain(m *testing.M) {
	if os.Args[len(os.Args)-1] == "keeper" {
		Keep(os.Stdin, 50*time.Millisecond)
		return
	}
	if role := os.Getenv("PACELINE_TEST_ROLE"); role != "" {
		play(role, os.Args[len(os.Args)-1])
		return
	}
	goleak.VerifyTestMain(m)
}

func play(role, port string) {
	switch role {
	case "crash":
		fmt.Println("no such model")
		os.Exit(3)
	case "mute":
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "family": // with a child that ignores requests to end
		child := exec.Command(os.Args[0], "0")
		child.Env = append(os.Environ(), "PACELINE_TEST_ROLE=stubborn")
		if err := child.Start(); err != nil {
			panic(err)
		}
		fmt.Println("child", child.Process.Pid)
	case "robbed": // somebody else is quicker to listen on the port that it prefers
		if port == os.Getenv("PACELINE_TEST_PORT") {
			robber := exec.Command(os.Args[0], port)
			robber.Env = append(os.Environ(), "PACELINE_TEST_ROLE=well")
			robber.SysProcAttr = ownGroup()
			if err := robber.Start(); err != nil {
				panic(err)
			}
			select {}
		}
	case "outrun":
		if port == os.Getenv("PACELINE_TEST_PORT") {
			fmt.Println("[Errno 98] error while attempting to bind on address ('127.0.0.1', " + port + "): address already in use")
			os.Exit(1)
		}
	case "supervisor": // starts a server and is killed
		supervise(spec("well", os.Getenv("PACELINE_TEST_LOG")))
	case "careful supervisor": // whose server has a stubborn child
		keeper, err := StartKeeper(os.Args[0], "keeper")
		if err != nil {
			panic(err)
		}
		family := spec("family", os.Getenv("PACELINE_TEST_LOG"))
		family.Keeper = keeper
		supervise(family)
	}
	fmt.Println("listening on", port)
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/hang-up", func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	http.HandleFunc("/crash", func(http.ResponseWriter, *http.Request) { fmt.Println("out of memory"); os.Exit(9) })
	panic(http.ListenAndServe("127.0.0.1:"+port, nil))
}

// hangUp breaks the connection as a process's end does, but does not end.
func hangUp(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		panic(err)
	}
	c.Close()
}

// supervise starts a server, says which process it is, and stays.
func supervise(spec Spec) {
	s, err := Start(context.Background(), spec)
	if err != nil {
		panic(err)
	}
	fmt.Println(s.PID)
	select {}
}

func spec(role, log string) Spec {
	return Spec{
		Name:    role,
		Command: []string{os.Args[0], PortMark},
		Env:     []string{"PACELINE_TEST_ROLE=" + role},
		LogFile: log,
		Health:  "/health",
		Limit:   time.Minute,
		Grace:   time.Minute,
	}
}

func start(t *testing.T, ctx context.Context, spec Spec) *Server {
	t.Helper()
	s, err := Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func logFile(t *testing.T) string { return filepath.Join(t.TempDir(), "logs", "server.log") }

// gone waits for a process's end: the kernel takes a moment after a SIGKILL.
func gone(t *testing.T, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for alive(pid) {
		if ctx.Err() != nil {
			t.Fatalf("process %d is still there", pid)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// alive is false for zombies too: their parent may be slow to bury them.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		if _, noProc := os.Stat("/proc/self"); noProc == nil {
			return false
		}
		return syscall.Kill(pid, 0) == nil
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	s := start(t, t.Context(), spec("well", logFile(t)))
	reply, err := http.Get(s.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if s.ReadySeconds <= 0 || s.Crashed() != nil || !strings.Contains(s.Tail(), "listening on") {
		t.Errorf("ready after %v s, crashed: %v, log: %s", s.ReadySeconds, s.Crashed(), s.Tail())
	}
	if last := s.Command[len(s.Command)-1]; !strings.HasSuffix(s.URL, ":"+last) {
		t.Errorf("command %q does not hold the port of %s", s.Command, s.URL)
	}
	s.Stop()
	s.Stop()
	gone(t, s.PID)
}

func TestStopKillsTheStubborn(t *testing.T) {
	t.Parallel()
	sp := spec("stubborn", logFile(t))
	sp.Grace = time.Millisecond
	s := start(t, t.Context(), sp)
	s.Stop()
	gone(t, s.PID)
}

// TestStopEndsTheFamily: a server's own children go with it, willing or not.
func TestStopEndsTheFamily(t *testing.T) {
	t.Parallel()
	s := start(t, t.Context(), spec("family", logFile(t)))
	child := childOf(t, s.Tail())
	if !alive(child) {
		t.Fatal("the child is not there: the test shows nothing")
	}
	s.Stop()
	gone(t, s.PID)
	gone(t, child)
}

// childOf reads the child's process from a family's log.
func childOf(t *testing.T, log string) (child int) {
	t.Helper()
	if _, err := fmt.Sscanf(log[max(0, strings.Index(log, "child ")):], "child %d", &child); err != nil {
		t.Fatalf("%v in %q", err, log)
	}
	return child
}

func TestCrashBeforeReady(t *testing.T) {
	t.Parallel()
	log := logFile(t)
	_, err := Start(t.Context(), spec("crash", log))
	if err == nil || !strings.Contains(err.Error(), "no such model") || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), log) {
		t.Errorf("%v: want the log's tail, its file and the exit status", err)
	}
}

func TestCrashLater(t *testing.T) {
	t.Parallel()
	s := start(t, t.Context(), spec("well", logFile(t)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Get(s.URL + "/crash"); err == nil {
		t.Fatal("a crashing server answered")
	}
	<-s.Exited()
	if err := s.Crashed(); err == nil || !strings.Contains(err.Error(), "out of memory") || !strings.Contains(err.Error(), "exit status 9") {
		t.Errorf("%v: want the log's tail and the exit status", err)
	}
	s.Stop()
}

// TestCrashAfterHangingUp: the connection breaks first, the process ends later.
// Whoever asks in between learns of the end, its status and the log all the same;
// of a server that stays, it is not said.
func TestCrashAfterHangingUp(t *testing.T) {
	t.Parallel()
	s := start(t, t.Context(), spec("well", logFile(t)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Get(s.URL + "/hang-up"); err == nil {
		t.Fatal("the connection did not break")
	}
	if err := s.CrashedWithin(t.Context(), time.Millisecond); err != nil {
		t.Errorf("it runs, but is said to have crashed: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.CrashedWithin(ended, time.Hour); err != nil {
		t.Errorf("an ended context: %v", err)
	}
	crash := make(chan error)
	go func() { crash <- s.CrashedWithin(t.Context(), time.Hour) }()
	if _, err := client.Get(s.URL + "/crash"); err == nil {
		t.Fatal("a crashing server answered")
	}
	if err := <-crash; err == nil || !strings.Contains(err.Error(), "out of memory") || !strings.Contains(err.Error(), "exit status 9") {
		t.Errorf("%v: want the log's tail and the exit status", err)
	}
}

func TestNeverReady(t *testing.T) {
	t.Parallel()
	sp := spec("mute", logFile(t))
	sp.Limit = 50 * time.Millisecond
	_, err := Start(t.Context(), sp)
	if err == nil || !strings.Contains(err.Error(), "not ready after 50ms") || !strings.Contains(err.Error(), "wrote nothing") {
		t.Errorf("%v: want the limit and what the log says", err)
	}
}

func TestNoSuchCommand(t *testing.T) {
	t.Parallel()
	sp := spec("well", logFile(t))
	sp.Command = []string{filepath.Join(t.TempDir(), "absent")}
	if _, err := Start(t.Context(), sp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v: want the system's own error", err)
	}
}

func TestContextEndsTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := start(t, ctx, spec("stubborn", logFile(t)))
	cancel()
	gone(t, s.PID)
}

func TestTail(t *testing.T) {
	t.Parallel()
	var long strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	for name, c := range map[string]struct{ text, first, last string }{
		"empty":    {"", "", ""},
		"one":      {"only\n", "only", "only"},
		"many":     {long.String(), "line 9980", "line 9999"},
		"one huge": {strings.Repeat("x", 1<<20), strings.Repeat("x", tailBytes), strings.Repeat("x", tailBytes)},
	} {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := tail(path)
		lines := strings.Split(got, "\n")
		if err != nil || lines[0] != c.first || lines[len(lines)-1] != c.last {
			t.Errorf("%s: %q … %q, %v", name, lines[0], lines[len(lines)-1], err)
		}
	}
}

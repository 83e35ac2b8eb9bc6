//go:build unix

package stacks

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const model = "../../testdata/tiny/bert"

// up is a `paceline stack up` in the background.
type up struct {
	*exec.Cmd
	url   string
	pids  []int // the server and its child
	talk  *bytes.Buffer
	ended chan error
}

func startUp(t *testing.T, server string) *up {
	t.Helper()
	needPython(t)
	u := &up{Cmd: exec.Command(paceline, "stack", "up", server, "--model", model, "--threads", "3"), talk: &bytes.Buffer{}, ended: make(chan error, 1)}
	u.Env, u.Stderr = environment(cache, ownStacks), u.talk
	out, err := u.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() { io.Copy(io.Discard, out); u.ended <- u.Wait() }()
	if err != nil {
		t.Fatalf("%v; it said: %s", <-u.ended, u.talk)
	}
	t.Cleanup(func() { u.Process.Kill() })
	name, url, _ := strings.Cut(strings.TrimSpace(line), "\t")
	if name != server || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("it announced %q", line)
	}
	u.url, u.pids = url, u.processes(t, server)
	return u
}

// processes finds the server by its record and its child by its log.
func (u *up) processes(t *testing.T, server string) []int {
	t.Helper()
	running := listed(t, server)
	if running == nil {
		t.Fatalf("%s is not listed as running", server)
	}
	var child int
	log, _, _ := run(t, u.Env, "stack", "logs", server)
	if _, err := fmt.Sscanf(log, "child %d, threads 3", &child); err != nil {
		t.Fatalf("%v in the log %q", err, log)
	}
	for _, pid := range []int{running.PID, child} {
		if !alive(pid) {
			t.Fatalf("process %d is not there: the test shows nothing", pid)
		}
	}
	return []int{running.PID, child}
}

type running struct{ PID, Supervisor int }

// listed is what `stack list` says of a running server.
func listed(t *testing.T, server string) *running {
	t.Helper()
	var list []struct {
		Name    string
		Running *running
	}
	out, talk, code := run(t, environment(cache, ownStacks), "stack", "list", "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, talk)
	}
	for _, l := range list {
		if l.Name == server {
			return l.Running
		}
	}
	t.Fatalf("%s is not listed", server)
	return nil
}

// wantEnd waits for paceline's own end and for its stack's.
func (u *up) wantEnd(t *testing.T, code int) {
	t.Helper()
	<-u.ended
	if got := u.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d; it said: %s", got, code, u.talk)
	}
	u.wantNothingLeft(t)
}

// wantNothingLeft allows ten seconds, as the promise does.
func (u *up) wantNothingLeft(t *testing.T) {
	t.Helper()
	late := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range u.pids {
		for alive(pid) {
			select {
			case <-late:
				t.Fatalf("process %d is still there", pid)
			case <-tick.C:
			}
		}
	}
}

// alive is false for zombies too: their parent may be slow to bury them.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) || syscall.Kill(pid, 0) == nil
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestUpAndDown(t *testing.T) {
	t.Parallel()
	u := startUp(t, "small-down")
	body, err := json.Marshal(map[string][]string{"texts": {"abc", "xyz"}})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.Post(u.url+"/embed", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var answer struct{ Embeddings [][]float64 }
	if err := json.NewDecoder(reply.Body).Decode(&answer); err != nil || len(answer.Embeddings) != 2 {
		t.Errorf("%v, %v", answer, err)
	}
	log, err := os.ReadFile(filepath.Join(cache, "stacks", "logs", "small-down.log"))
	absolute, _ := filepath.Abs(model)
	if err != nil || !strings.Contains(string(log), "model "+absolute) {
		t.Errorf("%v: the model's folder was not handed over: %s", err, log)
	}
	_, talk, code := run(t, u.Env, "stack", "up", "small-down", "--model", model)
	if code != 1 {
		t.Errorf("it was started twice: exit code %d", code)
	}
	contains(t, talk, "running already")
	if _, talk, code := run(t, u.Env, "stack", "down", "small-down"); code != 0 {
		t.Errorf("down: exit code %d: %s", code, talk)
	}
	for _, pid := range u.pids {
		if alive(pid) {
			t.Errorf("process %d outlived down", pid)
		}
	}
	u.wantEnd(t, 0)
}

// TestCrash: the log's tail is in the message, and the child that stayed is ended.
func TestCrash(t *testing.T) {
	t.Parallel()
	u := startUp(t, "small-crash")
	if reply, err := http.Get(u.url + "/crash"); err == nil {
		reply.Body.Close()
		t.Fatal("a crashing server answered")
	}
	u.wantEnd(t, 1)
	contains(t, u.talk.String(), "small-crash ended (exit status 9)", "out of memory")
}

func TestInterrupt(t *testing.T) {
	t.Parallel()
	u := startUp(t, "small-interrupt")
	if err := u.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	u.wantEnd(t, 0)
}

// TestKill: paceline is killed without a word; nothing is left, and the place is free.
func TestKill(t *testing.T) {
	t.Parallel()
	u := startUp(t, "small-kill")
	if err := u.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-u.ended
	u.wantNothingLeft(t)
	if r := listed(t, "small-kill"); r != nil {
		t.Errorf("listed as running: %+v", r)
	}
	again := startUp(t, "small-kill")
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	again.wantEnd(t, 0)
}

// TestPorts: two servers that both prefer one port run side by side.
func TestPorts(t *testing.T) {
	t.Parallel()
	a, b := startUp(t, "small"), startUp(t, "small-again")
	if a.url == b.url {
		t.Errorf("both at %s", a.url)
	}
	for _, u := range []*up{a, b} {
		if err := u.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		u.wantEnd(t, 0)
	}
}

func TestNeverReady(t *testing.T) {
	t.Parallel()
	needPython(t)
	_, talk, code := run(t, environment(cache, ownStacks), "stack", "up", "small-mute", "--model", model)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, talk, "not ready after 3s", "still loading", "small-mute.log")
	var child int
	if _, err := fmt.Sscanf(talk[max(0, strings.Index(talk, "child ")):], "child %d", &child); err != nil {
		t.Fatalf("%v in %q", err, talk)
	}
	(&up{pids: []int{child}}).wantNothingLeft(t)
}

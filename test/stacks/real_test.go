//go:build linux

package stacks

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

var (
	wanted    = flag.String("real", "", "real stacks to install, measure and kill, such as fastapi,langchain")
	realModel = flag.String("model", os.Getenv("PACELINE_TEST_MODEL"), "model that they serve")
)

// realStacks are those that were asked for; they are installed in the user's cache.
func realStacks(t *testing.T) []string {
	t.Helper()
	if *wanted == "" {
		t.Skip("-real names no stacks; installing them brings gigabytes")
	}
	needPython(t)
	names := strings.Split(*wanted, ",")
	if _, talk, code := run(t, os.Environ(), append([]string{"stack", "install"}, names...)...); code != 0 {
		t.Fatalf("install: exit code %d: %s", code, talk)
	}
	return names
}

// TestRealBench: every stack computes what the reference does.
func TestRealBench(t *testing.T) {
	names := realStacks(t)
	out := filepath.Join(t.TempDir(), "results")
	table, talk, code := run(t, os.Environ(), "bench", "--quick", "--stack", strings.Join(append(names, "paceline"), ","),
		"--model", cmp.Or(*realModel, "all-MiniLM-L6-v2"), "--dtype", "float32", "--out", out)
	t.Logf("%s\n%s", talk, table)
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	results := readResults(t, out)
	if len(results.Stacks) != len(names)+1 {
		t.Errorf("%d stacks", len(results.Stacks))
	}
	for _, s := range results.Stacks {
		t.Logf("%s: ready after %.1f s, %d MB idle, cosine %.6f at least", s.Name, s.ReadySeconds, s.IdleBytes>>20, s.Agreement.MinCosine)
		if s.Error != "" || !s.Agreement.Comparable {
			t.Errorf("%s: %s %s", s.Name, s.Error, s.Agreement.Reason)
		}
	}
}

// TestRealCrash: the first stack is killed while all are measured. It is reported with
// the end of its log, and the others have their figures.
func TestRealCrash(t *testing.T) {
	names := realStacks(t)
	out := filepath.Join(t.TempDir(), "results")
	bench := exec.CommandContext(t.Context(), paceline, "bench", "--stack", strings.Join(append(names[:1:1], "paceline"), ","),
		"--batch-sizes", "1", "--concurrency", "1", "--text-lengths", "50", "--duration", "3m",
		"--model", cmp.Or(*realModel, "all-MiniLM-L6-v2"), "--out", out)
	talk, err := bench.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	killed := 0
	for lines := bufio.NewScanner(talk); lines.Scan(); {
		t.Log(lines.Text())
		if killed == 0 && strings.Contains(lines.Text(), "warming up paceline") {
			killed = leaderOf(t, bench.Process.Pid, names[0])
			syscall.Kill(killed, syscall.SIGKILL)
		}
	}
	if err := bench.Wait(); err != nil || killed == 0 {
		t.Fatalf("%v, process %d was killed", err, killed)
	}
	results := readResults(t, out)
	if crashed := results.Stacks[0]; !strings.Contains(crashed.Error, "signal: killed") || !strings.Contains(crashed.Error, crashed.Name+".log") {
		t.Errorf("%s: %q, want how it ended and its log", crashed.Name, crashed.Error)
	}
	measured := func(c record.Cell) bool { return c.Stack == "paceline" && c.Sweep == record.SweepConcurrency }
	if last := results.Stacks[1]; last.Error != "" || !slices.ContainsFunc(results.Cells, measured) {
		t.Errorf("%s: %q, %d cells in all", last.Name, last.Error, len(results.Cells))
	}
}

// leaderOf finds the server that a process started in the environment of that stack.
func leaderOf(t *testing.T, parent int, stack string) int {
	t.Helper()
	for _, pid := range processes(t, func(stat []string) bool { return stat[1] == strconv.Itoa(parent) }) {
		command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err == nil && strings.Contains(string(command), "/stacks/"+stack+"/") {
			return pid
		}
	}
	t.Fatalf("process %d has no server of %s", parent, stack)
	return 0
}

// TestRealKill: after a kill -9 of paceline nothing of any stack is left.
func TestRealKill(t *testing.T) {
	for _, name := range realStacks(t) {
		t.Run(name, func(t *testing.T) {
			supervisor := exec.Command(paceline, "stack", "up", name, "--model", cmp.Or(*realModel, "all-MiniLM-L6-v2"))
			supervisor.Stderr = t.Output()
			out, err := supervisor.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := supervisor.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			server := pidOf(t, name)
			family := groupOf(t, server)
			if !slices.Contains(family, server) {
				t.Fatalf("process %d is not in its group %v: the test shows nothing", server, family)
			}
			supervisor.Process.Kill()
			supervisor.Wait()
			began := time.Now()
			(&up{pids: family}).wantNothingLeft(t)
			t.Logf("%d processes were gone after %.1f s", len(family), time.Since(began).Seconds())
		})
	}
}

// pidOf reads a running server's process from the list of the user's cache.
func pidOf(t *testing.T, server string) int {
	t.Helper()
	out, _, _ := run(t, os.Environ(), "stack", "list", "--json")
	var list []struct {
		Name    string
		Running *running
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if l.Name == server && l.Running != nil {
			return l.Running.PID
		}
	}
	t.Fatalf("%s is not listed as running", server)
	return 0
}

// groupOf lists the processes of a group.
func groupOf(t *testing.T, group int) []int {
	t.Helper()
	return processes(t, func(stat []string) bool { return stat[2] == strconv.Itoa(group) })
}

// processes lists those whose state, parent, group and so on are as wanted.
func processes(t *testing.T, wanted func(stat []string) bool) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) < 3 || !wanted(fields) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

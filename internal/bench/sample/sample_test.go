package sample

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestMain lets the test binary be a server's process tree: "burn" works until
// it has used the CPU time asked for, "tree" starts a child that does.
func TestMain(m *testing.M) {
	switch os.Getenv("PACELINE_TEST_ROLE") {
	case "burn":
		burn()
		return
	case "tree":
		parent()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	burntSeconds = 0.3
	heldBytes    = 64 << 20
)

// burn uses CPU and memory, says so, and waits to be told to end.
func burn() {
	held := make([]byte, heldBytes)
	for i := range held {
		held[i] = byte(i)
	}
	for {
		if u, err := usageOf(os.Getpid()); err != nil || u.CPUSeconds >= burntSeconds {
			break
		}
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	fmt.Fprint(io.Discard, held[len(held)-1])
}

func parent() {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "PACELINE_TEST_ROLE=burn")
	child.Stdin, child.Stdout = os.Stdin, os.Stdout
	if err := child.Run(); err != nil {
		os.Exit(1)
	}
	fmt.Println("child ended")
	io.Copy(io.Discard, os.Stdin)
}

// startRole runs the test binary in a role; the channel carries its lines.
func startRole(t *testing.T, role string) (pid int, lines *bufio.Scanner, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PACELINE_TEST_ROLE="+role)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { stdin.Close() }
	t.Cleanup(func() { end(); cmd.Wait() })
	return cmd.Process.Pid, bufio.NewScanner(stdout), end
}

// TestTreeIsCounted: what a child takes counts for the tree of its parent,
// which itself does next to nothing.
func TestTreeIsCounted(t *testing.T) {
	t.Parallel()
	pid, lines, _ := startRole(t, "tree")
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the child said %q", lines.Text())
	}
	whole, err := Of(pid)
	if err != nil {
		t.Fatal(err)
	}
	if whole.CPUSeconds < burntSeconds || whole.RSSBytes < heldBytes {
		t.Errorf("tree %+v: the child alone took %v s and %d bytes", whole, burntSeconds, heldBytes)
	}
	alone, err := usageOf(pid)
	if err != nil {
		t.Fatal(err)
	}
	if alone.RSSBytes > heldBytes || alone.CPUSeconds > burntSeconds {
		t.Errorf("the parent alone took %+v: the test shows nothing", alone)
	}
}

// TestWatch covers the whole slice in columns of one length.
func TestWatch(t *testing.T) {
	t.Parallel()
	pid, lines, _ := startRole(t, "burn")
	w := Start(Process(pid, nil))
	if !lines.Scan() {
		t.Fatal("no word from the process")
	}
	columns, peak := w.Stop(time.Now())
	n := len(columns.At)
	if n < 2 || len(columns.CPU) != n || len(columns.RSS) != n || len(columns.ClientCPU) != n || len(columns.Steal) != n || len(columns.MachineCPU) != n {
		t.Fatalf("columns of unequal length: %+v", columns)
	}
	for i := 1; i < n; i++ {
		if columns.CPU[i] < columns.CPU[i-1] || columns.ClientCPU[i] < columns.ClientCPU[i-1] || columns.At[i] < columns.At[i-1] {
			t.Errorf("sample %d falls: %+v", i, columns)
		}
	}
	if machine := columns.MachineCPU[n-1]; runtime.GOOS == "linux" && machine < columns.CPU[n-1]+columns.ClientCPU[n-1] {
		t.Errorf("all programs together took %v s since the machine's start, two of them %v and %v", machine, columns.CPU[n-1], columns.ClientCPU[n-1])
	}
	if columns.CPU[n-1] < burntSeconds || peak < heldBytes {
		t.Errorf("%v s and a peak of %d bytes, want at least %v s and %d", columns.CPU[n-1], peak, burntSeconds, heldBytes)
	}
}

// TestCountersNeverFall: what an ended process took stays taken.
func TestCountersNeverFall(t *testing.T) {
	t.Parallel()
	pid, lines, end := startRole(t, "burn")
	if !lines.Scan() {
		t.Fatal("no word from the process")
	}
	w := &Watch{source: Process(pid, nil), quit: make(chan struct{})}
	w.take()
	end()
	lines.Scan() // its output ends with it
	columns, _ := w.Stop(time.Now())
	if first, last := columns.CPU[0], columns.CPU[1]; first < burntSeconds || last < first {
		t.Errorf("CPU seconds %v, then %v", first, last)
	}
}

// TestClientAlone: a service without a process here has no samples of its own,
// and none are made up.
func TestClientAlone(t *testing.T) {
	t.Parallel()
	w := Start(nil)
	columns, peak := w.Stop(time.Now())
	if len(columns.ClientCPU) < 2 || columns.CPU != nil || columns.RSS != nil || peak != 0 {
		t.Errorf("%+v, peak %d", columns, peak)
	}
}

func TestNoSuchProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if u, err := Of(cmd.Process.Pid); err == nil {
		t.Errorf("an ended process used %+v", u)
	}
}

// TestTreeColumns: a process that touches memory has faults, threads and a
// proportional set size no larger than what is resident.
func TestTreeColumns(t *testing.T) {
	t.Parallel()
	pid, lines, _ := startRole(t, "burn")
	if !lines.Scan() {
		t.Fatal("no word from the process")
	}
	columns, peak := Start(Process(pid, nil)).Stop(time.Now())
	n := len(columns.At)
	if len(columns.MinorFaults) != n || len(columns.MajorFaults) != n || len(columns.Threads) != n {
		t.Fatalf("columns of unequal length: %+v", columns)
	}
	if faults := columns.MinorFaults[n-1]; faults < 1 || columns.Threads[n-1] < 1 {
		t.Errorf("%d page faults and %d threads", faults, columns.Threads[n-1])
	}
	if columns.PSS == nil {
		t.Skip("this system tells no proportional set size")
	}
	if got := columns.PSS.Bytes[0]; got < heldBytes || got > peak || len(columns.PSS.At) != 2 {
		t.Errorf("PSS %+v: %d bytes are held, the resident peak is %d", columns.PSS, heldBytes, peak)
	}
}

// TestFailedReadings leave no columns, and one in between repeats the last.
func TestFailedReadings(t *testing.T) {
	t.Parallel()
	source := &fixed{err: errNoTree}
	columns, peak := Start(source).Stop(time.Now())
	if columns.CPU != nil || columns.RSS != nil || columns.PSS != nil || peak != 0 {
		t.Errorf("%+v, peak %d from a source that always fails", columns, peak)
	}
	source = &fixed{usage: func() Usage { return Usage{CPUSeconds: 3, RSSBytes: 9, PeakBytes: 11} }}
	w := &Watch{source: source, quit: make(chan struct{})}
	w.take()
	source.err = errNoTree
	columns, peak = w.Stop(time.Now())
	if len(columns.RSS) != 2 || columns.RSS[1] != 9 || columns.CPU[1] != 3 || peak != 11 {
		t.Errorf("%+v, peak %d; want the last reading again", columns, peak)
	}
}

// TestPSSIsRare: the costly part is asked for at the ends alone, where a watch is
// as short as the tests'.
func TestPSSIsRare(t *testing.T) {
	t.Parallel()
	source := &fixed{usage: func() Usage { return Usage{RSSBytes: 1, PSSBytes: 1} }}
	w := Start(source)
	for range 50 {
		w.take()
	}
	w.Stop(time.Now())
	first, last := source.asked[0], source.asked[len(source.asked)-1]
	if first != PSS|ResetPeak || last != PSS|Peak {
		t.Errorf("asked for %b at the start and %b at the end", first, last)
	}
	if source.asked[1] != 0 {
		t.Errorf("asked for %b in between", source.asked[1])
	}
}

// TestNextLosesNothing: the readings of memory between two watches are part of the second,
// so the watches' CPU times add up to what the server took.
func TestNextLosesNothing(t *testing.T) {
	t.Parallel()
	var readings float64
	w := Start(&fixed{usage: func() Usage { readings++; return Usage{CPUSeconds: readings, RSSBytes: 1} }})
	epoch := time.Now()
	var cpu []float64 // at both ends of each watch
	var at []int64
	ends := func(columns record.Samples) {
		last := len(columns.At) - 1
		cpu, at = append(cpu, columns.CPU[0], columns.CPU[last]), append(at, columns.At[0], columns.At[last])
	}
	for range 3 {
		next, columns, _ := w.Next(epoch)
		ends(columns)
		w = next
	}
	columns, _ := w.Stop(epoch)
	ends(columns)
	for i := 1; i+1 < len(cpu); i += 2 {
		if cpu[i] != cpu[i+1] || at[i] != at[i+1] {
			t.Errorf("watch %d ended with %v s after %d us, the next began with %v s after %d us", i/2, cpu[i], at[i], cpu[i+1], at[i+1])
		}
	}
}

package soak

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/process"
)

var duration = flag.Duration("soak", 2*time.Second, "how long to overload each server")

// Bounds of the test.
const (
	times        = 4         // the server's capacity
	clients      = 8         // with which the capacity is found
	moreMemory   = 384 << 20 // bytes above idle: what the largest queue of requests like ours may hold, several times over
	growth       = 1.25      // of memory's peak in the last third of a long run over the middle third's
	longEnough   = 30 * time.Second
	startsWithin = time.Minute
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOverload offers each server four times what it can do.
func TestOverload(t *testing.T) {
	binary := program(t)
	for name, flags := range map[string][]string{
		"own": nil, "tei": {"--profile", "tei"},
	} {
		if *duration < longEnough { // to fill the queue of hundreds
			flags = append(flags, "--max-concurrent-requests", "8")
		}
		t.Run(name, func(t *testing.T) { overload(t, start(t, binary, flags)) })
	}
}

func overload(t *testing.T, server *process.Server) {
	client := newClient(t, server.URL)
	capacity := client.capacity(t)
	idle, err := sample.Of(server.PID)
	if err != nil {
		t.Fatal(err)
	}
	watch := sample.Start(sample.Process(server.PID, nil))
	schedule, err := load.ConstantArrivals.Schedule(times*capacity, *duration, 0)
	if err != nil {
		t.Fatal(err)
	}
	run := load.Open{Schedule: schedule}.Run(t.Context(), client.mixed, client.note)
	memory, peak := watch.Stop(run.Started)
	t.Logf("capacity %.0f requests/s; offered %.0f/s for %v", capacity, times*capacity, *duration)
	t.Logf("%v; all answered after %v", client.seen, run.Elapsed.Round(time.Millisecond))
	t.Logf("the server's memory: %d MB before, %d MB at most", idle.RSSBytes>>20, peak>>20)

	if err := server.Crashed(); err != nil {
		t.Fatal(err)
	}
	client.judge(t)
	if more := peak - idle.RSSBytes; more > moreMemory {
		t.Errorf("memory grew by %d MB, the bound is %d MB", more>>20, moreMemory>>20)
	}
	if middle, last := thirds(memory.RSS); *duration >= longEnough && float64(last) > growth*float64(middle) {
		t.Errorf("memory still grows: %d MB at most in the middle third, %d MB in the last", middle>>20, last>>20)
	}
	if reply := client.good(t.Context(), 0); reply != driver.OK {
		t.Errorf("after the overload a request ends with %s", reply)
	}
}

// thirds are the peaks of the second and the third third.
func thirds(values []int64) (middle, last int64) {
	for i, v := range values {
		switch 3 * i / len(values) {
		case 1:
			middle = max(middle, v)
		case 2:
			last = max(last, v)
		}
	}
	return middle, last
}

// program is PACELINE_BIN, or built from this checkout.
func program(t *testing.T) string {
	if given := os.Getenv("PACELINE_BIN"); given != "" {
		return given
	}
	built := filepath.Join(t.TempDir(), "paceline")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", built, "../../cmd/paceline")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return built
}

// modelVariable names a model's folder, to be used in place of the tiny one.
const modelVariable = "PACELINE_TEST_MODEL"

// Marks of the ports beside the first. They are chosen with it, so that a server that
// lost one to somebody else is started again with others.
const grpcMark, metricsMark = "{port.grpc}", "{port.metrics}"

// start runs a server of that model.
func start(t *testing.T, binary string, flags []string) *process.Server {
	model := os.Getenv(modelVariable)
	if model == "" {
		model = filepath.Join("..", "..", "testdata", "tiny", "bert")
	}
	server, err := process.Start(context.Background(), process.Spec{
		Name:    "paceline",
		Command: append([]string{binary, "serve", "--model", model, "--port", process.PortMark}, flags...),
		Ports:   map[string]int{grpcMark: 0, metricsMark: 0},
		LogFile: filepath.Join(t.TempDir(), "log"),
		Health:  "/health",
		Limit:   startsWithin,
		Grace:   startsWithin,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

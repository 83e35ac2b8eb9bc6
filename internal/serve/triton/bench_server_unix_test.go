//go:build unix

package triton_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/bench/stat"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/store"
)

// BenchmarkDoorsServer is what a request of 32 texts costs the server alone, in
// milliseconds and in percent of the JSON door, the median of the turns with its 95 %
// interval: the server is another process, which tells its processor time when it is
// asked. The model is BenchmarkDoors's: with its engine, and with an idle one that
// computes nothing, so that what is left is the door, the tokenizer and the queue.
func BenchmarkDoorsServer(b *testing.B) {
	for _, engine := range []string{"engine", idle} {
		for _, tokens := range []int{12, 68} {
			b.Run(fmt.Sprintf("%s/tokens=%d", engine, tokens), func(b *testing.B) { benchServer(b, engine, tokens) })
		}
	}
}

// inTurn is how many requests a door has before the next one has its turn.
const inTurn = 10

func benchServer(b *testing.B, engine string, tokens int) {
	server := startServer(b, engine)
	ways := []*way{{name: "json"}, {name: "http"}, {name: "grpc"}}
	ways[2].run, ways[1].run, ways[0].run = callers(b, server.web, server.call, benchTexts(32, tokens))
	for turn := -1; turn < 0 || b.Loop(); turn++ {
		for i := range ways {
			began := server.cpuTime(b)
			for range inTurn {
				if err := ways[i].run(); err != nil {
					b.Fatal(ways[i].name, err)
				}
			}
			if turn >= 0 { // the first one warms up
				ways[i].turns = append(ways[i].turns, (server.cpuTime(b)-began).Seconds()*1000/inTurn)
			}
		}
	}
	for _, w := range ways {
		b.ReportMetric(stat.Median(w.turns).Value, w.name+"-ms")
		report(b, w.name+"-of-json", stat.Median(shares(w.turns, ways[0].turns)))
	}
}

// serverVariable makes the test's binary the server of BenchmarkDoorsServer.
const serverVariable = "PACELINE_TEST_DOORS"

// otherServer is that process.
type otherServer struct {
	web, call string // addresses
	ask       io.Writer
	answers   *bufio.Scanner
}

func startServer(b *testing.B, engine string) *otherServer {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	process := exec.Command(self)
	process.Env = append(os.Environ(), serverVariable+"="+engine)
	process.Stderr = os.Stderr
	in, err := process.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := process.Wait(); err != nil {
			b.Error(err)
		}
	})
	s := &otherServer{ask: in, answers: bufio.NewScanner(out)}
	s.web, s.call = s.line(b), s.line(b)
	return s
}

func (s *otherServer) line(b *testing.B) string {
	if !s.answers.Scan() {
		b.Fatal("the server has ended: ", s.answers.Err())
	}
	return s.answers.Text()
}

func (s *otherServer) cpuTime(b *testing.B) time.Duration {
	if _, err := fmt.Fprintln(s.ask); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(s.line(b), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(n)
}

// idle names the engine that computes nothing.
const idle = "idle"

// idleEngine gives every text some vector.
type idleEngine struct{}

func (idleEngine) Run(_ context.Context, b *model.Batch) error {
	for i := range b.Out {
		for k := range b.Out[i].Vector {
			b.Out[i].Vector[k] = float32(i+1) / float32(k+2)
		}
	}
	return nil
}

// beServer is the other process: it writes its addresses, and its processor time
// for every line that it reads, and ends with its input.
func beServer(engine string) error {
	name := cmp.Or(os.Getenv(modelVariable), "../../../testdata/tiny/bert")
	m, err := assemble.Open(context.Background(), store.New(store.Options{}), name, assemble.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer m.Close()
	runner := batch.Runner(m.Engine)
	if engine == idle {
		runner = idleEngine{}
	}
	var at [2]net.Listener
	for i := range at {
		if at[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		fmt.Println(at[i].Addr())
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- serveDoors(ctx, m, runner, at[0], at[1]) }()
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		fmt.Println(cpuTime().Nanoseconds())
	}
	stop()
	return <-stopped
}

// init is before TestMain, which is for all systems.
func init() {
	engine := os.Getenv(serverVariable)
	if engine == "" {
		return
	}
	if err := beServer(engine); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

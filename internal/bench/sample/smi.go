package sample

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// smiReader follows the lines that one nvidia-smi writes twice a second.
type smiReader struct {
	stop  context.CancelFunc
	child *exec.Cmd
	ended sync.WaitGroup
	now   func() time.Time

	mu     sync.Mutex
	latest map[string]smiLine
	joules float64
}

// smiLine is what a GPU said last.
type smiLine struct {
	utilization, watts float64
	bytes              int64
	at                 time.Time
}

// smiQuery are the columns that parse reads.
var smiQuery = []string{"--query-gpu=index,utilization.gpu,memory.used,power.draw,name", "--format=csv,noheader,nounits"}

func smiGPUs() (*GPUs, error) {
	path, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return nil, errors.New("nvidia-smi is not on the PATH")
	}
	out, err := exec.Command(path, smiQuery...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("nvidia-smi: %s", strings.TrimSpace(string(out)))
	}
	g := &GPUs{Reader: "nvidia-smi"}
	r := &smiReader{now: time.Now, latest: map[string]smiLine{}}
	for line := range strings.Lines(string(out)) {
		if name, ok := r.parse(line); ok {
			g.Names = append(g.Names, name)
		}
	}
	if len(g.Names) == 0 {
		return nil, errors.New("nvidia-smi lists no GPU")
	}
	g.device = r
	return g, r.follow(path)
}

// follow starts the child that goes on reading.
func (r *smiReader) follow(path string) error {
	ctx, stop := context.WithCancel(context.Background())
	r.child = exec.CommandContext(ctx, path, append(smiQuery, "--loop-ms=500")...)
	out, err := r.child.StdoutPipe()
	if err == nil {
		err = r.child.Start()
	}
	if err != nil {
		stop()
		return fmt.Errorf("nvidia-smi: %w", err)
	}
	r.stop = stop
	r.ended.Go(func() { r.lines(out) })
	return nil
}

func (r *smiReader) lines(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		r.parse(lines.Text())
	}
}

// parse takes a line of "index, utilization, memory in MiB, watts, name". A column
// that a GPU does not know ("[N/A]") counts as 0. Energy is power over the time
// since the last line.
func (r *smiReader) parse(line string) (name string, ok bool) {
	fields := strings.SplitN(line, ",", 5)
	if len(fields) != 5 {
		return "", false
	}
	column := func(i int) float64 {
		v, err := strconv.ParseFloat(strings.TrimSpace(fields[i]), 64)
		if err != nil {
			return 0
		}
		return v
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	gpu := strings.TrimSpace(fields[0])
	now := smiLine{utilization: column(1), bytes: int64(column(2)) << 20, watts: column(3), at: r.now()}
	if last, known := r.latest[gpu]; known {
		r.joules += (last.watts + now.watts) / 2 * now.at.Sub(last.at).Seconds()
	}
	r.latest[gpu] = now
	return strings.TrimSpace(fields[4]), true
}

// read gives the last lines together; whose memory it is nvidia-smi's table of
// GPUs does not say.
func (r *smiReader) read([]int) (g GPU, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.latest {
		g.Utilization += l.utilization / float64(len(r.latest))
		g.Bytes += l.bytes
		g.Watts += l.watts
	}
	g.Joules, g.Count = r.joules, len(r.latest)
	return g, nil
}

// close ends the child.
func (r *smiReader) close() {
	r.stop()
	r.ended.Wait()
	r.child.Wait() // killed by us: its error says nothing
}

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
)

// GPUs is what the machine's GPUs did in a span of time, all of them together.
type GPUs struct {
	Count           int     `json:"count"`
	MeanUtilization float64 `json:"mean_utilization_percent"` // share of time with a kernel at work, over GPUs and readings
	MaxUtilization  float64 `json:"max_utilization_percent"`
	PeakBytes       int64   `json:"peak_bytes"` // of memory, summed over GPUs, all processes
	MeanWatts       float64 `json:"mean_watts"` // summed over GPUs
}

// ErrNoGPU says why there are no readings.
var ErrNoGPU = errors.New("no GPU readings")

// GPUWatch reads the GPUs once a second through nvidia-smi, which every driver
// brings.
type GPUWatch struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
	child *exec.Cmd
	sums  gpuSums
}

// gpuQuery are the columns that gpuSums reads.
const gpuQuery = "--query-gpu=index,utilization.gpu,memory.used,power.draw"

// StartGPU begins to read. It fails with ErrNoGPU where there is none to read.
func StartGPU() (*GPUWatch, error) {
	path, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return nil, fmt.Errorf("%w: nvidia-smi is not on the PATH", ErrNoGPU)
	}
	if out, err := exec.Command(path, gpuQuery, "--format=csv,noheader,nounits").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: nvidia-smi: %s", ErrNoGPU, strings.TrimSpace(string(out)))
	}
	ctx, stop := context.WithCancel(context.Background())
	child := exec.CommandContext(ctx, path, gpuQuery, "--format=csv,noheader,nounits", "--loop=1")
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w: %w", ErrNoGPU, err)
	}
	w := &GPUWatch{stop: stop, child: child}
	w.ended.Go(func() { w.sums.read(out) })
	return w, nil
}

// Stop ends the readings and sums them up; nil has none.
func (w *GPUWatch) Stop() GPUs {
	if w == nil {
		return GPUs{}
	}
	w.stop()
	w.ended.Wait()
	w.child.Wait() // killed by us: its error says nothing
	return w.sums.total()
}

// gpuSums adds up readings by GPU.
type gpuSums struct {
	readings    map[string]int
	utilization float64
	highest     float64
	watts       float64
	bytes       map[string]int64
}

// read takes lines of "index, utilization, memory in MiB, watts". A column that a
// GPU does not know ("[N/A]") counts as 0.
func (s *gpuSums) read(r io.Reader) {
	s.readings, s.bytes = map[string]int{}, map[string]int64{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ",")
		if len(fields) != 4 {
			continue
		}
		column := func(i int) float64 {
			v, err := strconv.ParseFloat(strings.TrimSpace(fields[i]), 64)
			if err != nil {
				return 0
			}
			return v
		}
		gpu := strings.TrimSpace(fields[0])
		s.readings[gpu]++
		s.utilization += column(1)
		s.highest = max(s.highest, column(1))
		s.bytes[gpu] = max(s.bytes[gpu], int64(column(2))<<20)
		s.watts += column(3)
	}
}

func (s *gpuSums) total() (g GPUs) {
	readings := 0
	for gpu, n := range s.readings {
		readings += n
		g.PeakBytes += s.bytes[gpu]
	}
	g.Count, g.MaxUtilization = len(s.readings), s.highest
	if readings > 0 {
		g.MeanUtilization = s.utilization / float64(readings)
		g.MeanWatts = s.watts / float64(readings) * float64(g.Count)
	}
	return g
}

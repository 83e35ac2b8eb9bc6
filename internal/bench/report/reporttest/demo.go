// Package reporttest makes records for the tests of a report: a whole run by a law
// and a seed, and slices whose figures can be computed on paper.
package reporttest

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// demoStack is the law by which a made-up stack answers.
type demoStack struct {
	name, policy string
	ceiling      float64 // embeddings/s at the largest batch
	overhead     float64 // seconds a request costs whatever it holds
	online       float64 // share of the ceiling reached with single texts
	p50          float64 // milliseconds, online
	spread       float64 // of the latencies' logarithm
	idle, each   float64 // MB idle, MB a thousand embeddings in flight
	maxBatch     int
}

var demoStacks = []demoStack{
	{"paceline/fastapi", "window", 182, 0.004, 0.55, 62, 0.16, 148, 96, 128},
	{"paceline/triton", "preferred", 188, 0.003, 0.66, 55, 0.14, 151, 88, 128},
	{"paceline/tei", "budget", 191, 0.002, 0.88, 21, 0.22, 144, 84, 256},
	{"paceline/langchain", "direct", 186, 0.003, 0.31, 48, 0.35, 143, 120, 512},
	{"paceline/vllm", "continuous", 190, 0.002, 0.90, 20, 0.20, 145, 85, 512},
}

// Demo makes the records of a run as paceline bench would: five profiles, every
// sweep, from a seed.
func Demo(repeats int) *record.Results {
	random := rand.New(rand.NewPCG(20, 26))
	start := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	r := &record.Results{
		Schema: record.Schema,
		Manifest: record.Manifest{
			Version: "v0.1.0", Commit: "0123456789ab", Command: []string{"paceline", "bench", "--seed", "42", "--data", "two words.txt"},
			Started: start, Finished: start.Add(4*time.Minute + 12*time.Second), Seed: 42,
			Config: map[string]any{"repeats": repeats, "batch_sizes": []int{1, 4, 8, 16, 32, 64, 128}},
			Machine: record.Machine{CPU: "AMD EPYC 9R14", Cores: 2, MemoryBytes: 24e9, OS: "linux/amd64", Kernel: "6.1.0",
				CPULevel: "avx512", GoVersion: "go1.26", Threads: 2},
			Model: record.Model{Name: "all-MiniLM-L6-v2", Revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", Dim: 384, MaxTokens: 256, DType: "float32",
				Files: map[string]string{"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}},
			Data: record.Data{Source: "synthetic, seed 42", SHA256: "e3b0c44298fc1c149afbf4c8996fb924", Texts: 2000, MeanChars: 336, MeanTokens: 68},
		},
	}
	for _, d := range demoStacks {
		r.Stacks = append(r.Stacks, record.Stack{
			Name: d.name, Dialect: "fastapi", Door: "FastAPI, JSON", Policy: d.policy, URL: "http://127.0.0.1:8000",
			ReadySeconds: 0.31, IdleBytes: int64(d.idle * 1e6),
			Agreement: record.Agreement{Texts: 64, MeanCosine: 0.9999999, MinCosine: 0.999999, Comparable: true},
			MaxBatch:  record.MaxBatch{Size: d.maxBatch, Seconds: 1.2, Limit: "refused"},
		})
		for repeat := range repeats {
			r.Cells = append(r.Cells, d.cells(random, repeat, start)...)
		}
	}
	return r
}

// Only keeps the named stacks.
func Only(r *record.Results, stacks ...string) *record.Results {
	r.Stacks = slices.DeleteFunc(r.Stacks, func(s record.Stack) bool { return !slices.Contains(stacks, s.Name) })
	r.Cells = slices.DeleteFunc(r.Cells, func(c record.Cell) bool { return !slices.Contains(stacks, c.Stack) })
	return r
}

func (d demoStack) cells(random *rand.Rand, repeat int, start time.Time) []record.Cell {
	var cells []record.Cell
	add := func(sweep record.Sweep, batch, clients, length int, rate, memory float64) {
		cell := record.Cell{Stack: d.name, Sweep: sweep, BatchSize: batch, Concurrency: clients, TextLength: length,
			Repeat: repeat, Started: start.Add(time.Duration(len(cells)) * time.Second), WarmupSeconds: 0.2, Seconds: 2}
		d.fill(&cell, random, rate*(1+0.015*random.NormFloat64()), memory)
		cells = append(cells, cell)
	}
	for _, b := range []int{1, 4, 8, 16, 32, 64, 128} {
		work := float64(b) / d.ceiling
		add(record.SweepBatchSize, b, 1, 0, float64(b)/(work+d.overhead+0.003*float64(b)/(1+float64(b)/8)), 0)
	}
	for _, c := range []int{1, 2, 4, 8, 16, 32} {
		add(record.SweepConcurrency, 32, c, 0, d.ceiling*(0.93+0.06*(1-math.Exp(-float64(c)/3))), d.each*32*float64(c)/1000)
	}
	for _, l := range []int{50, 100, 200, 500, 1000, 2000} {
		add(record.SweepTextLength, 32, 1, l, d.ceiling*336/float64(l+60), d.each*0.032*math.Sqrt(float64(l)/100))
	}
	add(record.SweepOffline, d.maxBatch, 1, 0, d.ceiling, 0)
	add(record.SweepOnline, 1, 8, 0, d.ceiling*d.online, 0)
	return cells
}

// fill makes a cell's requests so that they finish at the given rate.
func (d demoStack) fill(c *record.Cell, random *rand.Rand, rate, memory float64) {
	step := float64(c.BatchSize) / rate
	for at := step; at <= max(c.Seconds, step); at += step {
		took := step * float64(c.Concurrency) * (1 + 0.05*random.NormFloat64())
		if c.Sweep == record.SweepOnline {
			took = d.p50 / 1000 * math.Exp(d.spread*random.NormFloat64())
		}
		finished := int64(at * 1e6)
		sent := finished - int64(took*1e6)
		c.Requests.Intended = append(c.Requests.Intended, sent)
		c.Requests.Sent = append(c.Requests.Sent, sent)
		c.Requests.Finished = append(c.Requests.Finished, finished)
		c.Requests.Texts = append(c.Requests.Texts, int32(c.BatchSize))
		c.Requests.Outcome = append(c.Requests.Outcome, "ok")
	}
	if n := len(c.Requests.Finished); n > 0 { // the slice lasts until the last request is done
		c.Seconds = float64(c.Requests.Finished[n-1]) / 1e6
	}
	for i := range 5 {
		at := float64(i) * c.Seconds / 4
		c.Samples.At = append(c.Samples.At, int64(at*1e6))
		c.Samples.CPU = append(c.Samples.CPU, 1.9*at)
		c.Samples.RSS = append(c.Samples.RSS, int64((d.idle+8+memory*min(1, 2*at/c.Seconds))*1e6))
		c.Samples.ClientCPU = append(c.Samples.ClientCPU, 0.04*at)
	}
}

// Slowed multiplies the time that a stack takes for everything.
func Slowed(r *record.Results, stack string, by float64) *record.Results {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Stack != stack {
			continue
		}
		c.Seconds *= by
		for j := range c.Requests.Outcome {
			took := c.Requests.Finished[j] - c.Requests.Sent[j]
			c.Requests.Sent[j] = int64(float64(c.Requests.Sent[j]) * by)
			c.Requests.Intended[j] = c.Requests.Sent[j]
			c.Requests.Finished[j] = c.Requests.Sent[j] + int64(float64(took)*by)
		}
	}
	return r
}

package reporttest

import (
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// Hand builds records whose figures can be computed on paper.
type Hand struct{ *record.Results }

// NewHand begins with stacks that agree with the reference and have no cells.
func NewHand(stacks ...string) Hand {
	r := &record.Results{Schema: record.Schema}
	r.Manifest.Started = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r.Manifest.Finished = r.Manifest.Started.Add(time.Minute)
	for _, name := range stacks {
		r.Stacks = append(r.Stacks, record.Stack{Name: name, IdleBytes: 100e6,
			Agreement: record.Agreement{Texts: 8, MinCosine: 0.99999, Comparable: true}, MaxBatch: record.MaxBatch{Size: 64, Limit: "refused: 413"}})
	}
	return Hand{r}
}

// Cell adds one slice of a second per given throughput: so many requests of batch
// texts, each latency milliseconds long, evenly spread.
func (h Hand) Cell(stack string, sweep record.Sweep, batch, clients int, latency float64, perSecond ...int) {
	for repeat, n := range perSecond {
		c := record.Cell{Stack: stack, Sweep: sweep, BatchSize: batch, Concurrency: clients, Repeat: repeat, Seconds: 1}
		requests := n / batch
		for i := range requests {
			finished := time.Duration(float64(i+1) / float64(requests) * 1e9)
			sent := finished - time.Duration(latency*1e6)
			c.Requests.Add(sent, sent, finished, batch, 0, "ok")
		}
		h.Cells = append(h.Cells, c)
	}
}

// Last is the cell that was added last.
func (h Hand) Last() *record.Cell { return &h.Cells[len(h.Cells)-1] }

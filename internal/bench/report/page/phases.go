package page

import (
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// phases are where the mean request's time went at one load: a stacked bar a stack.
type phases struct {
	Load    string // what was sent
	Bars    []phaseBar
	Legend  []phasePart // the phases that occur
	Longest float64     // milliseconds that the whole width stands for
}

type phaseBar struct {
	Stack, Source string
	Total         float64 // milliseconds
	Parts         []phasePart
	Doubt         string
}

type phasePart struct {
	Name  string
	Class string  // of its colour
	Mean  float64 // milliseconds a request
	Share float64 // of the longest bar, in percent
}

// phaseNames are in the order in which a request passes them.
var phaseNames = []struct {
	name, class string
	of          func(*record.Breakdown) *record.Phase
}{
	{"client queue", "client", func(b *record.Breakdown) *record.Phase { return b.ClientQueue }},
	{"network", "network", func(b *record.Breakdown) *record.Phase { return b.Network }},
	{"server queue", "queue", func(b *record.Breakdown) *record.Phase { return b.Queue }},
	{"tokenise", "tokenize", func(b *record.Breakdown) *record.Phase { return b.Tokenize }},
	{"inference", "inference", func(b *record.Breakdown) *record.Phase { return b.Inference }},
	{"serialise", "serialize", func(b *record.Breakdown) *record.Phase { return b.Serialize }},
	{"other, in the server", "other", func(b *record.Breakdown) *record.Phase { return b.Other }},
}

// timeSpent breaks the time down at the loads of the latency and the throughput
// columns, for the stacks that tell.
func timeSpent(x *figures.Index, stacks []*record.Stack) []phases {
	var list []phases
	for _, of := range []struct {
		load  string
		sweep record.Sweep
	}{{"Single texts from several clients", record.SweepOnline}, {"Full batches from the most clients", record.SweepConcurrency},
		{"The highest arrival rate", record.SweepRate}, {"The whole load", record.SweepStress}} {
		p := phases{Load: of.load}
		for _, s := range stacks {
			if at, ok := x.Largest(s.Name, of.sweep); ok {
				if bar, told := newPhaseBar(x, s.Name, at); told {
					p.Bars = append(p.Bars, bar)
					p.Longest = max(p.Longest, bar.Total)
				}
			}
		}
		if len(p.Bars) > 0 {
			p.finish()
			list = append(list, p)
		}
	}
	return list
}

// newPhaseBar is of the valid repeats together; of all of them, with the reason,
// where none is valid.
func newPhaseBar(x *figures.Index, stack string, at figures.Point) (phaseBar, bool) {
	cells, reason := figures.Sift(x.Cells[stack][at])
	bar := phaseBar{Stack: stack}
	if len(cells) == 0 {
		cells, bar.Doubt = x.Cells[stack][at], reason
	}
	requests := 0
	sums := make([]float64, len(phaseNames))
	for _, c := range cells {
		if c.Breakdown == nil {
			continue
		}
		bar.Source = c.Breakdown.Source
		requests += c.Breakdown.Requests
		for i, phase := range phaseNames {
			if p := phase.of(c.Breakdown); p != nil {
				sums[i] += p.Sum
			}
		}
	}
	if requests == 0 {
		return bar, false
	}
	for i, phase := range phaseNames {
		if mean := sums[i] / float64(requests) * 1000; mean > 0 {
			bar.Total += mean
			bar.Parts = append(bar.Parts, phasePart{Name: phase.name, Class: phase.class, Mean: mean})
		}
	}
	return bar, bar.Total > 0
}

// finish scales the bars to the longest and lists the phases that occur.
func (p *phases) finish() {
	seen := map[string]bool{}
	for i := range p.Bars {
		for j := range p.Bars[i].Parts {
			part := &p.Bars[i].Parts[j]
			part.Share = 100 * part.Mean / p.Longest
			seen[part.Name] = true
		}
	}
	for _, phase := range phaseNames {
		if seen[phase.name] {
			p.Legend = append(p.Legend, phasePart{Name: phase.name, Class: phase.class})
		}
	}
}

// Label is the figure within the part, empty where it has no room.
func (p phasePart) Label() string {
	if p.Share < 7 {
		return ""
	}
	return format.Number(p.Mean)
}

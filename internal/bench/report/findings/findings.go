// Package findings says in sentences what the figures show: who leads in what, what
// to take for which use, and a verdict on each claim that people make. Every sentence
// has its figures beside it; where the statistics show nothing, it says so.
package findings

import (
	"cmp"
	"fmt"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/stat"
)

// What a report says where the run lacks the data, and where it has figures that
// cannot be compared.
const (
	NotMeasured   = "Not shown by this run."
	TooFewRepeats = "Not shown by this run: too few repeats to tell stacks apart."
)

// Evidence is a figure that stands beside a sentence.
type Evidence struct {
	Label  string `json:"label"`
	Figure string `json:"figure"` // with its interval and unit
}

// Finding is a sentence that follows from the figures beside it.
type Finding struct {
	Topic    string     `json:"topic"`
	Text     string     `json:"text"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// contest is a quantity that stacks are ranked by.
type contest struct {
	topic         string
	unit          string
	lowerIsBetter bool
	Figure        func(figures.Row) figures.Figure
}

var (
	ByThroughput = contest{"throughput", "embeddings/s", false, func(r figures.Row) figures.Figure { return r.Throughput }}
	ByLatency    = contest{"latency", "ms p95", true, func(r figures.Row) figures.Figure { return figures.Certified(r.Latency) }}
	byEfficiency = contest{"batch efficiency", "%", false, func(r figures.Row) figures.Figure { return r.BatchEfficiency }}
	byMemory     = contest{"memory", "MB/1k embeddings", true, func(r figures.Row) figures.Figure { return r.MemoryPer1k }}
	byCPU        = contest{"CPU cost", "embeddings/CPU-s", false, func(r figures.Row) figures.Figure { return r.PerCPUSecond }}
)

// Leaders says who leads in each quantity of the table.
func Leaders(x *figures.Index) []Finding {
	var list []Finding
	for _, c := range []contest{ByThroughput, ByLatency, byEfficiency, byMemory, byCPU} {
		list = append(list, finding(x, c))
	}
	return list
}

func finding(x *figures.Index, c contest) Finding {
	r := x.Rank(c.lowerIsBetter, c.Figure)
	return Finding{Topic: c.topic, Text: c.sentence(r), Evidence: evidence(x, c, r)}
}

// evidence lists the figures that were ranked, then the stacks left out and why.
func evidence(x *figures.Index, c contest, r figures.Ranking) []Evidence {
	var list []Evidence
	for _, s := range r {
		list = append(list, Evidence{s.Stack, format.WithInterval(s.Estimate) + " " + c.unit})
	}
	for _, row := range x.SummaryRows() {
		if has(r, row.Stack) {
			continue
		}
		f := c.Figure(row)
		why := cmp.Or(f.Doubt, f.Note, "not measured")
		if row.Status != figures.Measured {
			why = string(row.Status)
		}
		list = append(list, Evidence{row.Stack, "left out: " + format.OneLine(why)})
	}
	return list
}

func (c contest) sentence(r figures.Ranking) string {
	leaders, behind := r.Leaders(), r.Behind()
	switch {
	case len(r) == 0:
		return NotMeasured
	case len(r) == 1:
		return fmt.Sprintf("Only %s was measured: %s %s.", r[0].Stack, format.WithInterval(r[0].Estimate), c.unit)
	case r.TooFew():
		return TooFewRepeats
	case len(behind) == 0:
		return fmt.Sprintf("No difference shown between %s.", leaders.Names())
	case len(leaders) == 1:
		return fmt.Sprintf("%s leads with %s %s, %s %s.", r[0].Stack, format.WithInterval(r[0].Estimate), c.unit,
			times(r[0], behind[0]), behind[0].Stack)
	}
	return fmt.Sprintf("%s comes first with %s %s, %s %s; no difference shown from %s.", r[0].Stack,
		format.WithInterval(r[0].Estimate), c.unit, times(r[0], behind[0]), behind[0].Stack, leaders[1:].Names())
}

// times says how far the better stack is ahead: "1.4 [1.3–1.5] times that of".
func times(better, worse figures.Standing) string {
	ratio := stat.Ratio(better.Values, worse.Values)
	if !ratio.Known() {
		return "ahead of"
	}
	return format.WithInterval(ratio) + " times that of"
}

// TradeOffs sets the leaders of two quantities against each other where they are
// not the same stacks.
func TradeOffs(x *figures.Index) []Finding {
	var list []Finding
	for _, pair := range [][2]contest{{ByThroughput, ByLatency}, {ByThroughput, byMemory}, {ByLatency, byMemory}, {ByThroughput, byCPU}} {
		if f, ok := tradeOff(x, pair[0], pair[1]); ok {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return []Finding{{Topic: "trade-offs", Text: "No trade-off shown: no stack that leads in one quantity is told apart from the leader of another."}}
	}
	return list
}

// tradeOff holds when neither quantity's leaders include the other's best stack.
func tradeOff(x *figures.Index, a, b contest) (Finding, bool) {
	first, second := x.Rank(a.lowerIsBetter, a.Figure), x.Rank(b.lowerIsBetter, b.Figure)
	if len(first) == 0 || len(second) == 0 {
		return Finding{}, false
	}
	p, q := first[0].Stack, second[0].Stack
	pSecond, inSecond := of(second, p)
	qFirst, inFirst := of(first, q)
	if !inSecond || !inFirst || has(second.Leaders(), p) || has(first.Leaders(), q) {
		return Finding{}, false
	}
	return Finding{
		Topic: a.topic + " against " + b.topic,
		Text: fmt.Sprintf("%s leads in %s and pays in %s; %s the other way round.",
			p, a.topic, b.topic, q),
		Evidence: []Evidence{
			{p, format.WithInterval(first[0].Estimate) + " " + a.unit + "; " + format.WithInterval(pSecond.Estimate) + " " + b.unit},
			{q, format.WithInterval(qFirst.Estimate) + " " + a.unit + "; " + format.WithInterval(second[0].Estimate) + " " + b.unit},
		},
	}, true
}

func of(r figures.Ranking, stack string) (figures.Standing, bool) {
	for _, s := range r {
		if s.Stack == stack {
			return s, true
		}
	}
	return figures.Standing{}, false
}

func has(r figures.Ranking, stack string) bool {
	_, ok := of(r, stack)
	return ok
}

// largeCorpus is the number of passages of MS MARCO, the corpus that "millions of
// documents" stands for.
const largeCorpus = 8_841_823

// realTimeBound is what a search that answers while one types may take, in
// milliseconds.
const realTimeBound = 100.0

// Recommendations name the stacks for each use, or say that the run does not
// tell them apart.
func Recommendations(x *figures.Index) []Finding {
	return []Finding{
		realTimeSearch(x),
		recommend(x, "Batch processing", ByThroughput, "the most embeddings under concurrent load"),
		recommend(x, "Similarity", contest{"similarity", "ms p50", true, func(r figures.Row) figures.Figure { return smallRequest(x, r) }},
			"the fastest answer to one small request"),
		largeCorpusIndexing(x),
	}
}

func recommend(x *figures.Index, use string, c contest, why string) Finding {
	r := x.Rank(c.lowerIsBetter, c.Figure)
	f := Finding{Topic: use, Evidence: evidence(x, c, r)}
	switch leaders := r.Leaders(); {
	case len(r) == 0:
		f.Text = NotMeasured
	case len(r) == 1:
		f.Text = fmt.Sprintf("Only %s was measured.", r[0].Stack)
	case r.TooFew():
		f.Text = TooFewRepeats
	case len(leaders) == len(r):
		f.Text = fmt.Sprintf("Any of %s: no difference shown. Choose by what your infrastructure has.", leaders.Names())
	default:
		f.Text = fmt.Sprintf("%s: %s.", leaders.Names(), why)
	}
	return f
}

// realTimeSearch also says who keeps its p95 under the bound.
func realTimeSearch(x *figures.Index) Finding {
	f := recommend(x, "Real-time search", ByLatency, "the lowest p95 latency of single texts")
	r := x.Rank(true, ByLatency.Figure)
	var under figures.Ranking
	for _, s := range r {
		if s.Hi < realTimeBound {
			under = append(under, s)
		}
	}
	switch {
	case len(r) == 0:
	case len(under) == 0:
		f.Text += fmt.Sprintf(" None is shown to keep its p95 under %.0f ms at this load.", realTimeBound)
	case len(under) == len(r):
		f.Text += fmt.Sprintf(" All keep their p95 under %.0f ms at this load.", realTimeBound)
	default:
		f.Text += fmt.Sprintf(" Under %.0f ms at this load: %s.", realTimeBound, under.Names())
	}
	return f
}

// smallRequest is the median latency of the smallest batch from one client.
func smallRequest(x *figures.Index, r figures.Row) figures.Figure {
	points := x.Points(r.Stack, record.SweepBatchSize)
	if len(points) == 0 {
		return figures.Missing()
	}
	return figures.Certified(x.Percentile(r.Stack, points[0], 0.5))
}

func largeCorpusIndexing(x *figures.Index) Finding {
	offline := contest{"indexing", "embeddings/s", false, func(r figures.Row) figures.Figure { return x.Ceiling(r.Stack) }}
	f := recommend(x, "Large-corpus indexing", offline, "the most embeddings with everything sent at once")
	if r := x.Rank(false, offline.Figure); len(r) > 0 {
		hours := largeCorpus / r[0].Value / 3600
		f.Text += fmt.Sprintf(" %s would need %s hours for MS MARCO's %s passages if they are like these texts.",
			r[0].Stack, format.Number(hours), format.Grouped(largeCorpus))
	}
	return f
}

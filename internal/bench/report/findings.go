package report

import (
	"fmt"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// What a report says where the run lacks the data, and where it has figures that
// cannot be compared.
const (
	notMeasured   = "Not shown by this run."
	tooFewRepeats = "Not shown by this run: too few repeats to tell stacks apart."
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
	figure        func(Row) Figure
}

var (
	byThroughput = contest{"throughput", "embeddings/s", false, func(r Row) Figure { return r.Throughput }}
	byLatency    = contest{"latency", "ms p95", true, func(r Row) Figure { return certified(r.Latency) }}
	byEfficiency = contest{"batch efficiency", "%", false, func(r Row) Figure { return r.BatchEfficiency }}
	byMemory     = contest{"memory", "MB/1k embeddings", true, func(r Row) Figure { return r.MemoryPer1k }}
	byCPU        = contest{"CPU cost", "embeddings/CPU-s", false, func(r Row) Figure { return r.PerCPUSecond }}
)

// certified leaves out a percentile other than the wanted one: p90 of one stack
// is not to be ranked beside p95 of another.
func certified(p Percentile) Figure {
	if p.P != p.Wanted {
		f := missing()
		f.Note = p.Note
		return f
	}
	return p.Figure
}

// leaders says who leads in each quantity of the table.
func (x *index) leaders() []Finding {
	var list []Finding
	for _, c := range []contest{byThroughput, byLatency, byEfficiency, byMemory, byCPU} {
		list = append(list, x.finding(c))
	}
	return list
}

func (x *index) finding(c contest) Finding {
	r := x.rank(c.lowerIsBetter, c.figure)
	return Finding{Topic: c.topic, Text: c.sentence(r), Evidence: x.evidence(c, r)}
}

// evidence lists the figures that were ranked, then the stacks left out and why.
func (x *index) evidence(c contest, r ranking) []Evidence {
	var list []Evidence
	for _, s := range r {
		list = append(list, Evidence{s.stack, withInterval(s.Estimate) + " " + c.unit})
	}
	for _, row := range x.summaryRows() {
		if r.has(row.Stack) {
			continue
		}
		f := c.figure(row)
		why := firstOf(f.Doubt, f.Note, "not measured")
		if row.Status != Measured {
			why = string(row.Status)
		}
		list = append(list, Evidence{row.Stack, "left out: " + oneLine(why)})
	}
	return list
}

func (c contest) sentence(r ranking) string {
	leaders, behind := r.leaders(), r.behind()
	switch {
	case len(r) == 0:
		return notMeasured
	case len(r) == 1:
		return fmt.Sprintf("Only %s was measured: %s %s.", r[0].stack, withInterval(r[0].Estimate), c.unit)
	case r.tooFew():
		return tooFewRepeats
	case len(behind) == 0:
		return fmt.Sprintf("No difference shown between %s.", leaders.names())
	case len(leaders) == 1:
		return fmt.Sprintf("%s leads with %s %s, %s %s.", r[0].stack, withInterval(r[0].Estimate), c.unit,
			times(r[0], behind[0]), behind[0].stack)
	}
	return fmt.Sprintf("%s comes first with %s %s, %s %s; no difference shown from %s.", r[0].stack,
		withInterval(r[0].Estimate), c.unit, times(r[0], behind[0]), behind[0].stack, leaders[1:].names())
}

// times says how far the better stack is ahead: "1.4 [1.3–1.5] times that of".
func times(better, worse standing) string {
	ratio := stat.Ratio(better.Values, worse.Values)
	if !ratio.Known() {
		return "ahead of"
	}
	return withInterval(ratio) + " times that of"
}

// tradeOffs sets the leaders of two quantities against each other where they are
// not the same stacks.
func (x *index) tradeOffs() []Finding {
	var list []Finding
	for _, pair := range [][2]contest{{byThroughput, byLatency}, {byThroughput, byMemory}, {byLatency, byMemory}, {byThroughput, byCPU}} {
		if f, ok := x.tradeOff(pair[0], pair[1]); ok {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return []Finding{{Topic: "trade-offs", Text: "No trade-off shown: no stack that leads in one quantity is told apart from the leader of another."}}
	}
	return list
}

// tradeOff holds when neither quantity's leaders include the other's best stack.
func (x *index) tradeOff(a, b contest) (Finding, bool) {
	first, second := x.rank(a.lowerIsBetter, a.figure), x.rank(b.lowerIsBetter, b.figure)
	if len(first) == 0 || len(second) == 0 {
		return Finding{}, false
	}
	p, q := first[0].stack, second[0].stack
	pSecond, inSecond := second.of(p)
	qFirst, inFirst := first.of(q)
	if !inSecond || !inFirst || second.leaders().has(p) || first.leaders().has(q) {
		return Finding{}, false
	}
	return Finding{
		Topic: a.topic + " against " + b.topic,
		Text: fmt.Sprintf("%s leads in %s and pays in %s; %s the other way round.",
			p, a.topic, b.topic, q),
		Evidence: []Evidence{
			{p, withInterval(first[0].Estimate) + " " + a.unit + "; " + withInterval(pSecond.Estimate) + " " + b.unit},
			{q, withInterval(qFirst.Estimate) + " " + a.unit + "; " + withInterval(second[0].Estimate) + " " + b.unit},
		},
	}, true
}

func (r ranking) of(stack string) (standing, bool) {
	for _, s := range r {
		if s.stack == stack {
			return s, true
		}
	}
	return standing{}, false
}

func (r ranking) has(stack string) bool {
	_, ok := r.of(stack)
	return ok
}

// largeCorpus is the number of passages of MS MARCO, the corpus that "millions of
// documents" stands for.
const largeCorpus = 8_841_823

// realTimeBound is what a search that answers while one types may take, in
// milliseconds.
const realTimeBound = 100.0

// recommendations name the stacks for each use, or say that the run does not
// tell them apart.
func (x *index) recommendations() []Finding {
	return []Finding{
		x.realTimeSearch(),
		x.recommend("Batch processing", byThroughput, "the most embeddings under concurrent load"),
		x.recommend("Similarity", contest{"similarity", "ms p50", true, x.smallRequest},
			"the fastest answer to one small request"),
		x.largeCorpusIndexing(),
	}
}

func (x *index) recommend(use string, c contest, why string) Finding {
	r := x.rank(c.lowerIsBetter, c.figure)
	f := Finding{Topic: use, Evidence: x.evidence(c, r)}
	switch leaders := r.leaders(); {
	case len(r) == 0:
		f.Text = notMeasured
	case len(r) == 1:
		f.Text = fmt.Sprintf("Only %s was measured.", r[0].stack)
	case r.tooFew():
		f.Text = tooFewRepeats
	case len(leaders) == len(r):
		f.Text = fmt.Sprintf("Any of %s: no difference shown. Choose by what your infrastructure has.", leaders.names())
	default:
		f.Text = fmt.Sprintf("%s: %s.", leaders.names(), why)
	}
	return f
}

// realTimeSearch also says who keeps its p95 under the bound.
func (x *index) realTimeSearch() Finding {
	f := x.recommend("Real-time search", byLatency, "the lowest p95 latency of single texts")
	r := x.rank(true, byLatency.figure)
	var under ranking
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
		f.Text += fmt.Sprintf(" Under %.0f ms at this load: %s.", realTimeBound, under.names())
	}
	return f
}

// smallRequest is the median latency of the smallest batch from one client.
func (x *index) smallRequest(r Row) Figure {
	points := x.points(r.Stack, record.SweepBatchSize)
	if len(points) == 0 {
		return missing()
	}
	return certified(x.percentile(r.Stack, points[0], 0.5))
}

func (x *index) largeCorpusIndexing() Finding {
	offline := contest{"indexing", "embeddings/s", false, func(r Row) Figure { return x.ceiling(r.Stack) }}
	f := x.recommend("Large-corpus indexing", offline, "the most embeddings with everything sent at once")
	if r := x.rank(false, offline.figure); len(r) > 0 {
		hours := largeCorpus / r[0].Value / 3600
		f.Text += fmt.Sprintf(" %s would need %s hours for MS MARCO's %s passages if they are like these texts.",
			r[0].stack, number(hours), grouped(largeCorpus))
	}
	return f
}

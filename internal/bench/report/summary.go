package report

import (
	"fmt"
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Status says whether a stack's row may be ranked.
type Status string

// The states of a row.
const (
	Measured      Status = "measured"
	NotComparable Status = "not comparable" // its vectors disagree with the reference
	Failed        Status = "failed"         // it did not start, or it died
)

func statusOf(s *record.Stack) Status {
	switch {
	case s.Error != "":
		return Failed
	case !s.Agreement.Comparable:
		return NotComparable
	}
	return Measured
}

// Row is one stack's line of the summary table.
type Row struct {
	Stack           string           `json:"stack"`
	Policy          string           `json:"policy,omitempty"`
	Door            string           `json:"door,omitempty"`
	Status          Status           `json:"status"`
	Reason          string           `json:"reason,omitempty"` // why it is not ranked
	Throughput      Figure           `json:"throughput"`       // embeddings/s, the best of the concurrency sweep
	Latency         Percentile       `json:"p95_latency"`      // at the online cell
	BatchEfficiency Figure           `json:"batch_efficiency_percent"`
	MemoryPer1k     Figure           `json:"memory_per_1k_mb"`
	PeakMemory      Figure           `json:"peak_memory_mb"`
	MaxBatch        record.MaxBatch  `json:"max_batch"`
	PerCPUSecond    Figure           `json:"embeddings_per_cpu_second"` // where Throughput was measured
	TokensPerSecond Figure           `json:"tokens_per_second"`         // likewise
	Agreement       record.Agreement `json:"agreement"`
}

// Summary is what a run comes to: the table, with a row for every stack, those that may be ranked
// first and otherwise in the order of the run, and the findings.
type Summary struct {
	Model    string           `json:"model"`
	Data     string           `json:"data"`
	Machine  string           `json:"machine"`
	Rows     []Row            `json:"rows"`
	Warnings []record.Warning `json:"warnings,omitempty"`

	Leaders         []Finding `json:"leaders"` // in each quantity of the table
	TradeOffs       []Finding `json:"trade_offs"`
	Recommendations []Finding `json:"recommendations"` // by use
	Claims          []Verdict `json:"claims"`
}

// Summarize computes the table and what follows from it.
func Summarize(r *record.Results) *Summary {
	return newIndex(r).summary()
}

func (x *index) summary() *Summary {
	m := x.results.Manifest
	s := &Summary{
		Model:    modelLine(m.Model),
		Data:     dataLine(m.Data),
		Machine:  machineLine(m.Machine),
		Warnings: x.results.Warnings,
	}
	s.Rows = x.summaryRows()
	s.Leaders, s.TradeOffs, s.Recommendations, s.Claims = x.leaders(), x.tradeOffs(), x.recommendations(), x.judge()
	return s
}

// summaryRows puts the stacks that may be ranked first, otherwise in the order of
// the run.
func (x *index) summaryRows() []Row {
	var rows []Row
	for i := range x.results.Stacks {
		rows = append(rows, x.rows[x.results.Stacks[i].Name])
	}
	order := map[Status]int{Measured: 0, NotComparable: 1, Failed: 2}
	slices.SortStableFunc(rows, func(a, b Row) int { return order[a.Status] - order[b.Status] })
	return rows
}

func (x *index) row(s *record.Stack) Row {
	row := Row{
		Stack:     s.Name,
		Policy:    s.Policy,
		Door:      s.Door,
		Status:    statusOf(s),
		MaxBatch:  s.MaxBatch,
		Agreement: s.Agreement,
	}
	switch row.Status {
	case Failed:
		row.Reason = s.Error
	case NotComparable:
		row.Reason = s.Agreement.Reason
	}
	best := x.best(s.Name, record.SweepConcurrency)
	row.Throughput = x.figure(s.Name, best, throughput)
	row.PerCPUSecond = x.figure(s.Name, best, perCPUSecond)
	row.TokensPerSecond = x.figure(s.Name, best, tokensPerSecond)
	row.Latency = x.latency(s.Name, 0.95)
	row.BatchEfficiency = x.batchEfficiency(s.Name, row.Throughput)
	row.MemoryPer1k, row.PeakMemory = x.memory(s)
	return row
}

// best is the point of a sweep with the highest throughput, of those that weigh most.
func (x *index) best(stack string, sweep record.Sweep) point {
	var best point
	top := missing()
	for _, p := range x.points(stack, sweep) {
		f := x.figure(stack, p, throughput)
		if w := f.weight(); w > top.weight() || w == top.weight() && f.Value > top.Value {
			best, top = p, f
		}
	}
	return best
}

// weight orders figures by how far they bear a comparison: the highest of many
// that were measured once is the luckiest, not the best.
func (f Figure) weight() int {
	switch n := len(f.Values); {
	case !f.Known():
		return 0
	case !f.Sound():
		return 1
	case !stat.Separable(n, n):
		return 2
	}
	return 3
}

// latency is the percentile of the online cell: one text a request, several
// clients.
func (x *index) latency(stack string, p float64) Percentile {
	at, ok := x.largest(stack, record.SweepOnline)
	if !ok {
		return Percentile{Figure: missing(), Wanted: p}
	}
	return x.percentile(stack, at, p)
}

// fullBatch is the least batch that is taken to fill a server: a ceiling measured
// with less would be none.
const fullBatch = 32

// ceiling is the best throughput of a stack with everything sent at once; without
// such a cell, with the largest batch of the batch-size sweep.
func (x *index) ceiling(stack string) Figure {
	if f := x.figure(stack, x.best(stack, record.SweepOffline), throughput); f.Known() {
		return f
	}
	p, ok := x.largest(stack, record.SweepBatchSize)
	if !ok || p.BatchSize < fullBatch {
		return missing()
	}
	return x.figure(stack, p, throughput)
}

// aboveCeiling explains an efficiency that cannot be, by the repeats of the ceiling.
func aboveCeiling(repeats int) string {
	if repeats == 1 {
		return "above 100 %: the ceiling is one repeat, which the machine's noise can lower by as much"
	}
	return "above 100 %: everything at once filled this server less than its clients did, so the ceiling is too low"
}

// batchEfficiency is the throughput served under concurrent load as a share of
// the stack's own ceiling in the same run, in percent.
func (x *index) batchEfficiency(stack string, served Figure) Figure {
	ceiling := x.ceiling(stack)
	if !served.Known() || !ceiling.Known() {
		return missing()
	}
	f := Figure{
		Estimate: stat.Ratio(served.Values, ceiling.Values),
		Cell:     fmt.Sprintf("%s over %s", served.Cell, ceiling.Cell),
		Doubt:    firstOf(served.Doubt, ceiling.Doubt),
		Note:     firstOf(served.Note, ceiling.Note),
	}
	if f.Lo > 1 {
		f.Doubt = firstOf(f.Doubt, aboveCeiling(len(ceiling.Values)))
	}
	for _, v := range served.Values {
		f.Values = append(f.Values, v/ceiling.Value)
	}
	return f.scaled(100)
}

// memory is taken where most embeddings are in flight in the concurrency sweep:
// a server seldom gives memory back, so earlier cells cannot have seen more.
func (x *index) memory(s *record.Stack) (perThousand, peak Figure) {
	at, ok := x.largest(s.Name, record.SweepConcurrency)
	if !ok {
		return missing(), missing()
	}
	return x.figure(s.Name, at, memoryPerThousand(s.IdleBytes)), x.figure(s.Name, at, peakMemory)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

package figures

import (
	"cmp"
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

// StatusOf says whether a stack did the same work as the reference, or why it is not
// ranked.
func StatusOf(s *record.Stack) Status {
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
	Median          Percentile       `json:"p50_latency"`      // likewise
	Tail            Percentile       `json:"p99_latency"`      // likewise
	BatchEfficiency Figure           `json:"batch_efficiency_percent"`
	MemoryPer1k     Figure           `json:"memory_per_1k_mb"`
	PeakMemory      Figure           `json:"peak_memory_mb"`
	MaxBatch        record.MaxBatch  `json:"max_batch"`
	PerCPUSecond    Figure           `json:"embeddings_per_cpu_second"` // where Throughput was measured
	TokensPerSecond Figure           `json:"tokens_per_second"`         // likewise
	Agreement       record.Agreement `json:"agreement"`
	GPUUse          Figure           `json:"gpu_use_percent"`         // where Throughput was measured, as all of the GPU's
	EnergyPer1k     Figure           `json:"gpu_joules_per_thousand"` // embeddings
	Goodput         *record.Goodput  `json:"goodput,omitempty"`
	GoodputFrom     []int            `json:"goodput_from_cells,omitempty"` // its tries, among the cells of results.json
	Quality         *record.Quality  `json:"quality,omitempty"`
}

// SummaryRows puts the stacks that may be ranked first, otherwise in the order of
// the run.
func (x *Index) SummaryRows() []Row {
	var rows []Row
	for i := range x.Results.Stacks {
		rows = append(rows, x.Rows[x.Results.Stacks[i].Name])
	}
	order := map[Status]int{Measured: 0, NotComparable: 1, Failed: 2}
	slices.SortStableFunc(rows, func(a, b Row) int { return order[a.Status] - order[b.Status] })
	return rows
}

func (x *Index) row(s *record.Stack) Row {
	row := Row{
		Stack:     s.Name,
		Policy:    s.Policy,
		Door:      s.Door,
		Status:    StatusOf(s),
		MaxBatch:  s.MaxBatch,
		Agreement: s.Agreement,
	}
	switch row.Status {
	case Failed:
		row.Reason = s.Error
	case NotComparable:
		row.Reason = s.Agreement.Reason
	}
	best := x.served(s.Name)
	row.Throughput = x.Figure(s.Name, best, Throughput)
	row.PerCPUSecond = x.Figure(s.Name, best, PerCPUSecond)
	row.TokensPerSecond = x.Figure(s.Name, best, TokensPerSecond)
	row.GPUUse, row.EnergyPer1k = x.Figure(s.Name, best, GPUUse), x.Figure(s.Name, best, EnergyPerThousand)
	row.Goodput, row.Quality = s.Goodput, s.Quality
	for _, p := range x.Points(s.Name, record.SweepGoodput) {
		row.GoodputFrom = append(row.GoodputFrom, x.Place(s.Name, p)...)
	}
	row.Latency, row.Median, row.Tail = x.Latency(s.Name, 0.95), x.Latency(s.Name, 0.5), x.Latency(s.Name, 0.99)
	row.BatchEfficiency = x.batchEfficiency(s.Name, row.Throughput)
	row.MemoryPer1k, row.PeakMemory = x.memory(s)
	return row
}

// best is the point of a sweep with the highest throughput, of those that weigh most.
func (x *Index) best(stack string, sweep record.Sweep) Point {
	var best Point
	top := Missing()
	for _, p := range x.Points(stack, sweep) {
		f := x.Figure(stack, p, Throughput)
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

// served is where the throughput of the table was measured: the best point of the
// concurrency sweep; of a stress test, its load.
func (x *Index) served(stack string) Point {
	if at, ok := x.Largest(stack, record.SweepStress); ok && len(x.Points(stack, record.SweepConcurrency)) == 0 {
		return at
	}
	return x.best(stack, record.SweepConcurrency)
}

// Latency is the percentile of the online cell: one text a request, several
// clients; of a stress test, that of its load.
func (x *Index) Latency(stack string, p float64) Percentile {
	at, ok := x.Largest(stack, record.SweepOnline)
	if !ok {
		at, ok = x.Largest(stack, record.SweepStress)
	}
	if !ok {
		return Percentile{Figure: Missing(), Wanted: p}
	}
	return x.Percentile(stack, at, p)
}

// fullBatch is the least batch that is taken to fill a server: a ceiling measured
// with less would be none.
const fullBatch = 32

// Ceiling is the best throughput of a stack with everything sent at once; without
// such a cell, with the largest batch of the batch-size sweep.
func (x *Index) Ceiling(stack string) Figure {
	if f := x.Figure(stack, x.best(stack, record.SweepOffline), Throughput); f.Known() {
		return f
	}
	p, ok := x.Largest(stack, record.SweepBatchSize)
	if !ok || p.BatchSize < fullBatch {
		return Missing()
	}
	return x.Figure(stack, p, Throughput)
}

// aboveCeiling explains an efficiency that cannot be, by the repeats that it comes from.
func aboveCeiling(served, ceiling int) string {
	if !stat.Separable(served, ceiling) {
		return "above 100 %: with so few repeats the machine's noise can do that"
	}
	return "above 100 %: everything at once filled this server less than its clients did, so the ceiling is too low"
}

// batchEfficiency is the throughput served under concurrent load as a share of
// the stack's own ceiling in the same run, in percent.
func (x *Index) batchEfficiency(stack string, served Figure) Figure {
	ceiling := x.Ceiling(stack)
	if !served.Known() || !ceiling.Known() {
		return Missing()
	}
	f := Figure{
		Estimate: stat.Ratio(served.Values, ceiling.Values),
		Cell:     fmt.Sprintf("%s over %s", served.Cell, ceiling.Cell),
		From:     slices.Concat(served.From, ceiling.From),
		Doubt:    cmp.Or(served.Doubt, ceiling.Doubt),
		Note:     cmp.Or(served.Note, ceiling.Note),
	}
	if f.Lo > 1 {
		f.Doubt = cmp.Or(f.Doubt, aboveCeiling(len(served.Values), len(ceiling.Values)))
	}
	for _, v := range served.Values {
		f.Values = append(f.Values, v/ceiling.Value)
	}
	return f.Scaled(100)
}

// memory is taken where most embeddings are in flight in the concurrency sweep:
// a server seldom gives memory back, so earlier cells cannot have seen more.
func (x *Index) memory(s *record.Stack) (perThousand, peak Figure) {
	at, ok := x.Largest(s.Name, record.SweepConcurrency)
	if !ok {
		at, ok = x.Largest(s.Name, record.SweepStress)
	}
	if !ok {
		return Missing(), Missing()
	}
	return x.Figure(s.Name, at, MemoryPerThousand(s.IdleBytes)), x.Figure(s.Name, at, PeakMemory)
}

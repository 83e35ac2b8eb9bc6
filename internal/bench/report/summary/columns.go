package summary

import (
	"fmt"
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// part is a column of the table with what it says of a row.
type part struct {
	table.Column
	of func(*table.Table, figures.Row) table.Entry
}

// stressParts are the columns of one load on one service.
func stressParts() []part {
	latency := func(of func(figures.Row) figures.Percentile) func(*table.Table, figures.Row) table.Entry {
		return func(t *table.Table, r figures.Row) table.Entry { return percentileEntry(t, of(r)) }
	}
	return []part{
		{table.Column{Name: "Throughput", Unit: "embeddings/s"}, figureOf("throughput", func(r figures.Row) figures.Figure { return r.Throughput })},
		{table.Column{Name: "p50 latency", Unit: "ms"}, latency(func(r figures.Row) figures.Percentile { return r.Median })},
		{table.Column{Name: "p95 latency", Unit: "ms"}, latency(func(r figures.Row) figures.Percentile { return r.Latency })},
		{table.Column{Name: "p99 latency", Unit: "ms"}, latency(func(r figures.Row) figures.Percentile { return r.Tail })},
		{table.Column{Name: "Peak memory", Unit: "MB"}, figureOf("peak memory", func(r figures.Row) figures.Figure { return r.PeakMemory })},
		{table.Column{Name: "Per CPU-s", Unit: "embeddings"}, figureOf("embeddings per CPU-second", func(r figures.Row) figures.Figure { return r.PerCPUSecond })},
	}
}

// parts are the columns that every table has, then those that the run has figures for.
func (s *Summary) parts() []part {
	if s.Stress {
		return append(stressParts(), s.askedFor()...)
	}
	agreement := part{table.Column{Name: "Agreement", Unit: "min cosine"}, func(_ *table.Table, r figures.Row) table.Entry {
		return table.Entry{Text: format.Cosine(r.Agreement), Value: r.Agreement.MinCosine}
	}}
	if !s.Swept {
		return append([]part{agreement}, s.askedFor()...)
	}
	list := []part{
		{table.Column{Name: "Throughput", Unit: "embeddings/s"}, figureOf("throughput", func(r figures.Row) figures.Figure { return r.Throughput })},
		{table.Column{Name: "p95 latency", Unit: "ms"}, func(t *table.Table, r figures.Row) table.Entry { return percentileEntry(t, r.Latency) }},
		{table.Column{Name: "Batch eff.", Unit: "% of ceiling"}, figureOf("batch efficiency", func(r figures.Row) figures.Figure { return r.BatchEfficiency })},
		{table.Column{Name: "Memory", Unit: "MB/1k emb."}, figureOf("memory", func(r figures.Row) figures.Figure { return r.MemoryPer1k })},
		{table.Column{Name: "Max batch", Unit: "texts"}, func(_ *table.Table, r figures.Row) table.Entry { return maxBatchEntry(r.MaxBatch) }},
		{table.Column{Name: "Per CPU-s", Unit: "embeddings"}, figureOf("embeddings per CPU-second", func(r figures.Row) figures.Figure { return r.PerCPUSecond })},
		agreement,
	}
	if cell := s.latencyCell(); cell != "" {
		list[1].Unit = "ms, " + cell
	}
	return append(list, s.askedFor()...)
}

// askedFor are the columns of what only some runs measure.
func (s *Summary) askedFor() []part {
	var list []part
	any := func(has func(figures.Row) bool) bool { return slices.ContainsFunc(s.Rows, has) }
	if any(func(r figures.Row) bool { return r.Goodput != nil }) {
		list = append(list, part{table.Column{Name: "Goodput", Unit: "texts/s, " + s.objective()}, goodputEntry})
	}
	if any(func(r figures.Row) bool { return r.Quality != nil && r.Quality.Spearman != nil }) {
		list = append(list, part{table.Column{Name: "STS-B", Unit: "Spearman × 100"}, qualityEntry(func(q *record.Quality) *float64 { return q.Spearman })})
	}
	if any(func(r figures.Row) bool { return r.Quality != nil && r.Quality.NDCG10 != nil }) {
		list = append(list, part{table.Column{Name: "Retrieval", Unit: "nDCG@10 × 100"}, qualityEntry(func(q *record.Quality) *float64 { return q.NDCG10 })})
	}
	if any(func(r figures.Row) bool { return r.GPUUse.Known() }) {
		list = append(list, part{table.Column{Name: "GPU use", Unit: "% of the time"}, figureOf("GPU use", func(r figures.Row) figures.Figure { return r.GPUUse })},
			part{table.Column{Name: "GPU energy", Unit: "J/1k emb."}, figureOf("GPU energy", func(r figures.Row) figures.Figure { return r.EnergyPer1k })})
	}
	return list
}

func figureOf(what string, of func(figures.Row) figures.Figure) func(*table.Table, figures.Row) table.Entry {
	return func(t *table.Table, r figures.Row) table.Entry { return entry(t, what, of(r)) }
}

// objective is what the search for goodput held the stacks to.
func (s *Summary) objective() string {
	for _, r := range s.Rows {
		if r.Goodput != nil {
			return r.Goodput.SLO
		}
	}
	return ""
}

// goodputEntry says how sure the rate is, or why there is none.
func goodputEntry(t *table.Table, r figures.Row) table.Entry {
	switch g := r.Goodput; {
	case g == nil:
		return table.Entry{Text: format.Unknown, Value: math.NaN()}
	case !g.Confirmed():
		return table.Entry{Text: "none", Value: 0, Note: t.Footnote("goodput: no rate was confirmed. " + g.Ended), From: r.GoodputFrom}
	default:
		return table.Entry{Text: format.Number(g.Texts), Value: g.Texts, Interval: goodputInterval(g), Note: t.Footnote(goodputNote), From: r.GoodputFrom}
	}
}

const goodputNote = "goodput: the highest arrival rate whose fresh run kept the objective, the confidence with which that run shows it, and the lowest rate above it that failed"

// goodputInterval is what the search knows beside the rate: how sure it is, and where it failed.
func goodputInterval(g *record.Goodput) string {
	sure := fmt.Sprintf("at %.1f %%", 100*g.Confidence)
	if g.Failing == 0 {
		return sure
	}
	return sure + "; not " + format.Number(g.Failing*g.Texts/g.Rate)
}

func qualityEntry(of func(*record.Quality) *float64) func(*table.Table, figures.Row) table.Entry {
	return func(t *table.Table, r figures.Row) table.Entry {
		e := table.Entry{Text: format.Unknown, Value: math.NaN()}
		if r.Quality == nil {
			return e
		}
		if v := of(r.Quality); v != nil {
			return table.Entry{Text: fmt.Sprintf("%.2f", *v), Value: *v}
		}
		if r.Quality.Error != "" {
			e.Note = t.Footnote("quality of " + r.Stack + ": " + format.OneLine(r.Quality.Error))
		}
		return e
	}
}

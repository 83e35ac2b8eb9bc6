package figures

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Figure is a quantity of one stack at one point: the median of its repeats,
// with the interval that holds the true one.
type Figure struct {
	stat.Estimate
	Values []float64 // one a repeat, what comparisons test
	Cell   string    // where it was measured: "32 texts × 8 clients"
	From   []int     // the cells of results.json that it comes from, by their place there
	Doubt  string    // why it must not be believed and what to do; empty for a sound one
	Note   string    // what a reader must know about a sound figure
}

// Missing is the figure that the run does not show.
func Missing() Figure { return Figure{Estimate: stat.Missing()} }

// Sound says whether the figure may be compared with others.
func (f Figure) Sound() bool { return f.Known() && f.Doubt == "" }

// Scaled multiplies the figure, for another unit.
func (f Figure) Scaled(by float64) Figure {
	f.Value, f.Lo, f.Hi = f.Value*by, f.Lo*by, f.Hi*by
	values := make([]float64, len(f.Values))
	for i, v := range f.Values {
		values[i] = v * by
	}
	f.Values = values
	return f
}

// MarshalJSON writes null for what is not known, which JSON has no number for.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(struct {
		Value   float64 `json:"value"`
		Lo      float64 `json:"lo"`
		Hi      float64 `json:"hi"`
		Level   float64 `json:"confidence"`
		Repeats int     `json:"repeats"`
		Cell    string  `json:"cell,omitempty"`
		From    []int   `json:"from_cells,omitempty"`
		Doubt   string  `json:"invalid,omitempty"`
		Note    string  `json:"note,omitempty"`
	}{f.Value, f.Lo, f.Hi, f.Level, len(f.Values), f.Cell, f.From, f.Doubt, f.Note})
}

// Figure is the median of a quantity over the valid repeats of a stack at a
// point. Invalid repeats are left out and the figure says so; when all are
// invalid, they are shown with the reason in Doubt.
func (x *Index) Figure(stack string, p Point, q Quantity) Figure {
	cells := x.Cells[stack][p]
	valid, reason := Sift(cells)
	f := Figure{Cell: p.String()}
	switch {
	case len(cells) == 0:
		return Missing()
	case len(valid) == 0:
		f.Doubt = reason
		valid = cells
	case len(valid) < len(cells):
		f.Note = fmt.Sprintf("%d of %s left out: %s", len(cells)-len(valid), english.Plural(len(cells), "repeat", ""), reason)
	}
	for _, c := range valid {
		if v := q(c); !math.IsNaN(v) && !math.IsInf(v, 0) {
			f.From = append(f.From, x.place[c])
			f.Values = append(f.Values, v)
		}
	}
	f.Estimate = stat.Median(f.Values)
	return f
}

// Sift returns the valid cells, and the reason of the first that is not.
func Sift(cells []*record.Cell) (valid []*record.Cell, reason string) {
	for _, c := range cells {
		switch {
		case c.Invalid == "":
			valid = append(valid, c)
		case reason == "":
			reason = c.Invalid
		}
	}
	return valid, reason
}

// Percentile is a latency percentile with the one that was asked for: when too
// few requests stand behind that, P is the highest that they carry.
type Percentile struct {
	Figure
	P        float64 // 0 when the requests carry none
	Wanted   float64
	Requests int // that stand behind it, over all repeats
}

// Name is the percentile's name: "p95", "p99.9".
func (p Percentile) Name() string { return percentileName(p.P) }

func percentileName(p float64) string { return fmt.Sprintf("p%g", math.Round(p*1e5)/1e3) }

// MarshalJSON adds which percentile it is.
func (p Percentile) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Percentile float64 `json:"percentile"`
		Wanted     float64 `json:"wanted"`
		Requests   int     `json:"requests"`
		Figure     Figure  `json:"milliseconds"`
	}{p.P, p.Wanted, p.Requests, p.Figure})
}

// Percentile is a latency percentile in milliseconds over the requests of all
// repeats together, whose count certifies it. Its interval also holds the repeats'
// own: requests of one repeat resemble each other more than those of another.
func (x *Index) Percentile(stack string, at Point, wanted float64) Percentile {
	valid, _ := Sift(x.Cells[stack][at])
	if len(valid) == 0 {
		valid = x.Cells[stack][at]
	}
	n := 0
	for _, c := range valid {
		n += Succeeded(c)
	}
	p, ok := stat.HighestCertified(n, wanted)
	result := Percentile{Figure: Missing(), P: p, Wanted: wanted, Requests: n}
	if ok {
		result.Figure = x.Figure(stack, at, LatencyPercentile(p))
		ms, _ := x.Pooled(stack, at)
		v := stat.Percentile(ms, p)
		result.Value, result.Lo, result.Hi = v, min(result.Lo, v), max(result.Hi, v)
	}
	switch {
	case len(valid) == 0:
	case !ok:
		result.Note = fmt.Sprintf("n too small: %s, %s needs %d", english.Plural(n, "request", ""), percentileName(wanted), stat.MinSamples(wanted))
	case p < wanted:
		result.Note = fmt.Sprintf("%d requests carry %s, %s needs %d", n, percentileName(p), percentileName(wanted), stat.MinSamples(wanted))
	}
	return result
}

// Certified leaves out a percentile other than the wanted one: p90 of one stack
// is not to be ranked beside p95 of another.
func Certified(p Percentile) Figure {
	if p.P != p.Wanted {
		f := Missing()
		f.Note = p.Note
		return f
	}
	return p.Figure
}

// Pooled are the latencies of all valid repeats together, in rising order.
func (x *Index) Pooled(stack string, at Point) (ms []float64, doubt string) {
	cells, reason := Sift(x.Cells[stack][at])
	if len(cells) == 0 {
		cells, doubt = x.Cells[stack][at], reason
	}
	for _, c := range cells {
		ms = append(ms, Latencies(c)...)
	}
	slices.Sort(ms)
	return ms, doubt
}

package report

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Figure is a quantity of one stack at one point: the median of its repeats,
// with the interval that holds the true one.
type Figure struct {
	stat.Estimate
	Values []float64 // one a repeat, what comparisons test
	Cell   string    // where it was measured: "32 texts × 8 clients"
	Doubt  string    // why it must not be believed and what to do; empty for a sound one
	Note   string    // what a reader must know about a sound figure
}

// missing is the figure that the run does not show.
func missing() Figure { return Figure{Estimate: stat.Missing()} }

// Sound says whether the figure may be compared with others.
func (f Figure) Sound() bool { return f.Known() && f.Doubt == "" }

// scaled multiplies the figure, for another unit.
func (f Figure) scaled(by float64) Figure {
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
		Doubt   string  `json:"invalid,omitempty"`
		Note    string  `json:"note,omitempty"`
	}{f.Value, f.Lo, f.Hi, f.Level, len(f.Values), f.Cell, f.Doubt, f.Note})
}

// figure is the median of a quantity over the valid repeats of a stack at a
// point. Invalid repeats are left out and the figure says so; when all are
// invalid, they are shown with the reason in Doubt.
func (x *index) figure(stack string, p point, q quantity) Figure {
	cells := x.cells[stack][p]
	valid, reason := sift(cells)
	f := Figure{Cell: p.String()}
	switch {
	case len(cells) == 0:
		return missing()
	case len(valid) == 0:
		f.Doubt = reason
		valid = cells
	case len(valid) < len(cells):
		f.Note = fmt.Sprintf("%d of %d repeats left out: %s", len(cells)-len(valid), len(cells), reason)
	}
	for _, c := range valid {
		if v := q(c); !math.IsNaN(v) && !math.IsInf(v, 0) {
			f.Values = append(f.Values, v)
		}
	}
	f.Estimate = stat.Median(f.Values)
	return f
}

// sift returns the valid cells, and the reason of the first that is not.
func sift(cells []*record.Cell) (valid []*record.Cell, reason string) {
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

// percentile is a latency percentile in milliseconds over the requests of all
// repeats together, whose count certifies it. Its interval also holds the repeats'
// own: requests of one repeat resemble each other more than those of another.
func (x *index) percentile(stack string, at point, wanted float64) Percentile {
	valid, _ := sift(x.cells[stack][at])
	if len(valid) == 0 {
		valid = x.cells[stack][at]
	}
	n := 0
	for _, c := range valid {
		n += succeeded(c)
	}
	p, ok := stat.HighestCertified(n, wanted)
	result := Percentile{Figure: missing(), P: p, Wanted: wanted, Requests: n}
	if ok {
		result.Figure = x.figure(stack, at, latencyPercentile(p))
		ms, _ := x.pooled(stack, at)
		v := stat.Percentile(ms, p)
		result.Value, result.Lo, result.Hi = v, min(result.Lo, v), max(result.Hi, v)
	}
	switch {
	case len(valid) == 0:
	case !ok:
		result.Note = fmt.Sprintf("n too small: %d requests, %s needs %d", n, percentileName(wanted), stat.MinSamples(wanted))
	case p < wanted:
		result.Note = fmt.Sprintf("%d requests carry %s, %s needs %d", n, percentileName(p), percentileName(wanted), stat.MinSamples(wanted))
	}
	return result
}

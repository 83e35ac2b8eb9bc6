package page

import (
	"math"
	"slices"
	"strconv"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// cells are what the records' table and the timeline draw: a line a cell, as it
// stands in results.json.
type cells struct {
	Stacks []cellStack `json:"stacks"`
	List   []cell      `json:"list"`
}

type cellStack struct {
	Name  string `json:"name"`
	Color string `json:"color"`
}

type cell struct {
	Place    int      `json:"i"` // in results.json
	Stack    int      `json:"s"`
	Sweep    string   `json:"sweep"`
	What     string   `json:"what"`
	Repeat   int      `json:"repeat"`
	At       rounded  `json:"at"` // seconds since the run's start
	Warmup   rounded  `json:"warm"`
	Seconds  rounded  `json:"took"`
	Requests int      `json:"n"`
	Good     int      `json:"ok"`
	Rate     rounded  `json:"eps"`
	P50      rounded  `json:"p50"`
	P95      rounded  `json:"p95"`
	Invalid  string   `json:"invalid,omitempty"`
	Windows  *windows `json:"w,omitempty"`

	Samples map[string]samples `json:"samples,omitempty"` // by what the timeline calls them
}

// samples have times of their own, in seconds from the cell's start.
type samples struct {
	At    []rounded `json:"at"`
	Value []rounded `json:"v"`
}

// windows are equal parts of a cell.
type windows struct {
	Rate    []rounded `json:"eps"`
	Latency []rounded `json:"p50"`
	Worst   []rounded `json:"max"`
}

// rounded is a number of four digits, which is more than a drawing shows; null
// where there is none.
type rounded float64

func (r rounded) MarshalJSON() ([]byte, error) {
	v := float64(r)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	if math.Abs(v) >= 1e5 {
		return strconv.AppendFloat(nil, math.Round(v), 'f', -1, 64), nil
	}
	four, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return strconv.AppendFloat(nil, four, 'f', -1, 64), err
}

func newCells(x *figures.Index, stacks []*record.Stack) cells {
	var all cells
	places := map[string]int{}
	for i := range x.Results.Stacks {
		s := &x.Results.Stacks[i]
		places[s.Name] = i
		all.Stacks = append(all.Stacks, cellStack{s.Name, colour(slices.Index(stacks, s))})
	}
	for i := range x.Results.Cells {
		c := &x.Results.Cells[i]
		all.List = append(all.List, newCell(i, places[c.Stack], c, x.Results.Manifest))
	}
	return all
}

func newCell(place, stack int, c *record.Cell, m record.Manifest) cell {
	ms := figures.Latencies(c)
	certified := func(p float64) rounded {
		if len(ms) < stat.MinSamples(p) {
			return rounded(math.NaN())
		}
		return rounded(stat.Percentile(ms, p))
	}
	return cell{
		Place: place, Stack: stack, Sweep: string(c.Sweep), What: figures.PointOf(c).String(), Repeat: c.Repeat,
		At: rounded(c.Started.Sub(m.Started).Seconds()), Warmup: rounded(c.WarmupSeconds), Seconds: rounded(c.Seconds),
		Requests: len(c.Requests.Outcome), Good: len(ms), Rate: rounded(figures.Throughput(c)),
		P50: certified(0.5), P95: certified(0.95), Invalid: c.Invalid, Windows: newWindows(c), Samples: newSamples(c.Samples),
	}
}

// A window holds a few requests at least; a slice of seconds has up to ten, a long
// load up to sixty.
const (
	requestsAWindow = 4
	windowsASlice   = 10
	windowsALoad    = 60
	longLoad        = 20 // seconds
)

func newWindows(c *record.Cell) *windows {
	most := windowsASlice
	if c.Seconds >= longLoad {
		most = windowsALoad
	}
	n := min(len(c.Requests.Outcome)/requestsAWindow, most)
	if c.Seconds <= 0 {
		return nil
	}
	n = max(n, 1) // a window in which nothing finished is a stall, to be seen
	texts, latencies := make([]float64, n), make([][]float64, n)
	for i, outcome := range c.Requests.Outcome {
		w := int(float64(c.Requests.Finished[i]) / 1e6 / c.Seconds * float64(n))
		if outcome != "ok" || w < 0 || w > n {
			continue
		}
		w = min(w, n-1)
		texts[w] += float64(c.Requests.Texts[i])
		latencies[w] = append(latencies[w], float64(c.Requests.Finished[i]-c.Requests.Intended[i])/1000)
	}
	list := &windows{}
	for w, ms := range latencies {
		slices.Sort(ms)
		list.Rate = append(list.Rate, rounded(texts[w]/c.Seconds*float64(n)))
		list.Latency = append(list.Latency, rounded(stat.Percentile(ms, 0.5)))
		list.Worst = append(list.Worst, rounded(stat.Percentile(ms, 1)))
	}
	return list
}

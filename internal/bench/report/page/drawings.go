package page

import (
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/chart"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// drawing is a place of the page where one of several views is drawn.
type drawing struct {
	Key, Title string
	Says       string // how to read it, in a sentence
	Views      []chart.Chart
	Start      int // the view that is drawn first
}

// Drawn says whether there is anything to draw.
func (d drawing) Drawn() bool { return len(d.Views) > 0 && len(d.Views[0].Series) > 0 }

func one(c chart.Chart, says string) drawing { return several([]chart.Chart{c}, says) }

func several(views []chart.Chart, says string) drawing {
	if len(views) == 0 {
		return drawing{}
	}
	return drawing{Key: views[0].Key, Title: views[0].Title, Says: says, Views: views}
}

// drawings are those of the page in their order. A drawing of a load that is only
// run when asked for is left out where it was not; the others say so.
func drawings(x *figures.Index, stacks []*record.Stack) []drawing {
	list := []drawing{
		one(chart.Batch(x, stacks), "One client. A curve that still rises at its right end has not reached its best batch size."),
		one(chart.Efficiency(x, stacks), "The same curves, each as a share of its own highest point: where batching stops paying."),
		one(chart.Concurrency(x, stacks), "Where a curve is flat the server is full, and more clients only wait longer."),
		several(chart.Latency(x, stacks), "A closed loop: each client waits for its reply before it sends again, so this is not the latency under a given arrival rate."),
		several(chart.Percentiles(x, stacks), "Each step to the right is ten times as rare. A line ends at the last percentile that its requests certify."),
		one(chart.Memory(x, stacks), "Resident memory of the server's process tree at its peak. The lengths come in this order and before all other load, since servers seldom give memory back; one that ran already had what it was found with."),
	}
	if rate := chart.Rate(x, stacks); len(rate) > 0 {
		d := several(rate, "Requests arrive by a schedule, whether or not the server keeps up; latency counts from the scheduled time. Where a curve turns up, the stack is full."+holds(stacks))
		d.Start = len(rate) - 1
		list = append(list, d)
	}
	if agreement := chart.Agreement(x, stacks); len(agreement.Series) > 0 {
		list = append(list, one(agreement, "Further to the left is closer to the reference. Stacks beyond the rule compute something else and are not ranked; they are grey."))
	}
	return list
}

// holds explains the rules of a goodput search.
func holds(stacks []*record.Stack) string {
	for _, s := range stacks {
		if s.Goodput.Confirmed() {
			return " Dashed upright: the highest rate at which a stack was confirmed to keep " + s.Goodput.SLO + "."
		}
	}
	return ""
}

// grey is the colour of what is not ranked.
const grey = "#8b93a1"

func colour(index int) string {
	if index < 0 {
		return grey
	}
	return chart.Palette[index%len(chart.Palette)]
}

type dataPoint struct {
	X     float64 `json:"x"`
	Value float64 `json:"v"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
	N     int     `json:"n"`
	Cell  string  `json:"cell"`
	From  []int   `json:"from,omitempty"`
	Doubt string  `json:"doubt,omitempty"`
}

type dataSeries struct {
	Name   string      `json:"name"`
	Color  string      `json:"color"`
	Shape  int         `json:"shape"` // tells series apart without colour
	Points []dataPoint `json:"points"`
}

type dataRule struct {
	Name  string  `json:"name"`
	Stack string  `json:"stack,omitempty"`
	X     float64 `json:"x,omitempty"`
	Y     float64 `json:"y,omitempty"`
}

type dataView struct {
	View   string       `json:"view"`
	X      string       `json:"x"`
	Y      string       `json:"y"`
	Log2   bool         `json:"log2"`
	LogX   bool         `json:"logx"`
	LogY   bool         `json:"logy"`
	Series []dataSeries `json:"series"`
	Rules  []dataRule   `json:"rules"`
}

type dataDrawing struct {
	Key   string     `json:"key"`
	Start int        `json:"start"` // the view that is drawn first
	Views []dataView `json:"views"`
}

// drawingData is what the script draws, with short names.
func drawingData(list []drawing) []dataDrawing {
	data := make([]dataDrawing, 0, len(list))
	for _, d := range list {
		if !d.Drawn() {
			continue
		}
		entry := dataDrawing{Key: d.Key, Start: d.Start}
		for _, view := range d.Views {
			entry.Views = append(entry.Views, viewData(view))
		}
		data = append(data, entry)
	}
	return data
}

func viewData(c chart.Chart) dataView {
	v := dataView{View: c.View, X: c.X, Y: c.Y, Log2: c.Log2, LogX: c.LogX, LogY: c.LogY, Series: []dataSeries{}, Rules: []dataRule{}}
	for _, s := range c.Series {
		line := dataSeries{Name: s.Name, Color: colour(s.Index), Shape: s.Index}
		for _, p := range s.Points {
			line.Points = append(line.Points, dataPoint{p.X, p.Value, p.Lo, p.Hi, p.N, p.Cell, p.From, p.Doubt})
		}
		v.Series = append(v.Series, line)
	}
	for _, r := range c.Rules {
		v.Rules = append(v.Rules, dataRule(r))
	}
	return v
}

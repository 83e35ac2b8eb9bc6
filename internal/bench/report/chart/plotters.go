package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/paceline/paceline/internal/bench/report/figures"
)

// gridLines are horizontal hairlines at the labelled ticks.
type gridLines struct{ color color.Color }

func (g gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	_, y := p.Transforms(&c)
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if tick.Value > p.Y.Min {
			c.StrokeLine2(draw.LineStyle{Color: g.color, Width: 0.7}, c.Min.X, y(tick.Value), c.Max.X, y(tick.Value))
		}
	}
}

// marks is a series with its colour and the scale of its axis.
type marks struct {
	Series
	color color.NRGBA
	place func(float64) float64
}

func (m marks) light() color.NRGBA {
	c := m.color
	c.A = 90
	return c
}

// whisker draws a point's confidence interval.
func whisker(c draw.Canvas, style draw.LineStyle, x, low, high vg.Length) {
	const half = 3
	c.StrokeLine2(style, x, low, x, high)
	c.StrokeLine2(style, x-half, low, x+half, low)
	c.StrokeLine2(style, x-half, high, x+half, high)
}

// curve joins the points of a series; each has its interval, and one that failed
// its checks is a red cross.
type curve struct{ marks }

func (m curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	for _, point := range m.Points {
		if !point.failed() {
			line = append(line, vg.Point{X: x(m.place(point.X)), Y: y(point.Value)})
		}
	}
	c.StrokeLines(draw.LineStyle{Color: m.color, Width: 1.8}, line)
	for _, point := range m.Points {
		at := vg.Point{X: x(m.place(point.X)), Y: y(point.Value)}
		if point.N > 1 {
			whisker(c, draw.LineStyle{Color: m.color, Width: 0.9}, at.X, y(point.Lo), y(point.Hi))
		}
		dot(c, point.Figure, m.color, at)
	}
}

func dot(c draw.Canvas, f figures.Figure, paint color.Color, at vg.Point) {
	if f.Doubt == "" {
		c.DrawGlyph(draw.GlyphStyle{Color: paint, Radius: 3.2, Shape: draw.CircleGlyph{}}, at)
		return
	}
	const arm = 4.5
	style := draw.LineStyle{Color: alarm, Width: 2}
	c.StrokeLine2(style, at.X-arm, at.Y-arm, at.X+arm, at.Y+arm)
	c.StrokeLine2(style, at.X-arm, at.Y+arm, at.X+arm, at.Y-arm)
}

// bars stand side by side at every size.
type bars struct {
	marks
	index, of int
}

func (m bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, point := range m.Points {
		width := (x(1) - x(0)) * vg.Length(m.slot())
		left := x(m.place(point.X)) + width*(vg.Length(m.index)-vg.Length(m.of)/2)
		fill := m.color
		if point.Doubt != "" {
			fill = m.light()
		}
		gap := width * 0.06
		c.FillPolygon(fill, []vg.Point{
			{X: left + gap, Y: y(0)}, {X: left + gap, Y: y(point.Value)},
			{X: left + width - gap, Y: y(point.Value)}, {X: left + width - gap, Y: y(0)},
		})
		if point.N > 1 {
			whisker(c, draw.LineStyle{Color: ink, Width: 0.9}, left+width/2, y(point.Lo), y(point.Hi))
		}
		if point.Doubt != "" {
			dot(c, point.Figure, alarm, vg.Point{X: left + width/2, Y: y(point.Value)})
		}
	}
}

// slot is the share of the axis that a bar may take: the closest two sizes leave
// room for all stacks and a gap.
func (m bars) slot() float64 {
	closest := 1.0
	for i := 1; i < len(m.Points); i++ {
		closest = min(closest, math.Abs(m.place(m.Points[i].X)-m.place(m.Points[i-1].X)))
	}
	return 0.72 * closest / float64(m.of)
}

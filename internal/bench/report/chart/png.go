package chart

import (
	"cmp"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/paceline/paceline/internal/bench/record"
)

// A picture is 12 by 8 inches at 200 dots an inch: 2,400 by 1,600 pixels.
const (
	pictureWidth  = 12 * vg.Inch
	pictureHeight = 8 * vg.Inch
	pictureDPI    = 200
)

// WritePNG draws the four charts of the given stacks.
func WritePNG(x *figures.Index, w io.Writer, title string, stacks []*record.Stack) error {
	canvas := vgimg.NewWith(vgimg.UseWH(pictureWidth, pictureHeight), vgimg.UseDPI(pictureDPI), vgimg.UseBackgroundColor(color.White))
	area := draw.Crop(draw.New(canvas), 24, -24, 16, -18)
	top := area.Max.Y
	top = writeLine(area, top, 17, true, ink, title)
	top = writeLine(area, top, 10, false, muted, format.ModelLine(x.Results.Manifest.Model)+" · "+format.DataLine(x.Results.Manifest.Data))
	top = writeLine(area, top, 10, false, muted, format.MachineLine(x.Results.Manifest.Machine))
	for _, s := range stacks {
		if status := figures.StatusOf(s); status != figures.Measured {
			reason := cmp.Or(s.Error, s.Agreement.Reason)
			top = writeLine(area, top, 10, true, alarm, shorten(s.Name+", "+string(status)+": "+format.OneLine(reason), 150))
		}
	}
	switch {
	case len(stacks) > 1:
		top = writeLegend(area, top, stacks)
	case len(stacks) == 1 && stacks[0].Door != "":
		top = writeLine(area, top, 10, false, muted, "Batching: "+cmp.Or(stacks[0].Policy, "its own")+" · driven through "+stacks[0].Door)
	}
	charts := Charts(x, stacks)
	if slices.ContainsFunc(charts, Chart.doubtful) {
		top = writeLine(area, top, 10, true, alarm, "× marks figures that failed the run's checks: the report says why")
	}
	area.Max.Y = top - 10
	tiles := draw.Tiles{Rows: 2, Cols: 2, PadX: 28, PadY: 22}
	for i, c := range charts {
		c.Plot().Draw(tiles.At(area, i%2, i/2))
	}
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

// writeLine puts a line of text under top and returns where the next one goes.
func writeLine(area draw.Canvas, top vg.Length, size vg.Length, heavy bool, c color.Color, line string) vg.Length {
	style := textStyle(size, heavy, c)
	area.FillText(style, vg.Point{X: area.Min.X, Y: top - size}, line)
	return top - size*1.5
}

// writeLegend puts every stack's name beside its colour, in one line.
func writeLegend(area draw.Canvas, top vg.Length, stacks []*record.Stack) vg.Length {
	const size, swatch = 11, 18
	style := textStyle(size, false, ink)
	at := area.Min.X
	for i, s := range stacks {
		middle := top - size*0.65
		area.StrokeLine2(draw.LineStyle{Color: paletteColor(i), Width: 3}, at, middle, at+swatch, middle)
		area.FillText(style, vg.Point{X: at + swatch + 5, Y: top - size}, s.Name)
		at += swatch + 5 + style.Width(s.Name) + 20
	}
	return top - size*1.5
}

func textStyle(size vg.Length, heavy bool, c color.Color) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if heavy {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, Handler: plot.DefaultTextHandler}
}

func shorten(s string, limit int) string {
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// Plot lays out axes and adds what the chart shows.
func (c Chart) Plot() *plot.Plot {
	p := plot.New()
	p.Title.Text = c.Title
	p.Title.TextStyle = centred(textStyle(13, true, ink), draw.YTop)
	p.Title.Padding = 6
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle = centred(textStyle(11, false, muted), draw.YBottom)
		axis.Tick.Label.Font = textStyle(10, false, ink).Font
		axis.Tick.Label.Color = ink
		axis.LineStyle = draw.LineStyle{Color: muted, Width: 0.5}
		axis.Tick.LineStyle = draw.LineStyle{Color: muted, Width: 0.5}
		axis.Tick.Length = 3
		axis.Padding = 0
	}
	p.X.Label.Text, p.Y.Label.Text = c.X, c.Y
	p.X.Label.Padding, p.Y.Label.Padding = 4, 4
	c.scale(p)
	if len(c.Series) == 0 {
		p.Title.Text += ": not measured in this run"
		p.HideAxes()
		return p
	}
	p.Add(gridLines{faint})
	for i, s := range c.Series {
		mark := marks{Series: s, color: paletteColor(s.Index), place: c.place}
		if c.Bars {
			p.Add(bars{marks: mark, index: i, of: len(c.Series)})
		} else {
			p.Add(curve{mark})
		}
	}
	return p
}

// centred places a title (whose padding is above it) or an axis label.
func centred(s text.Style, vertical text.YAlignment) text.Style {
	s.XAlign, s.YAlign = draw.XCenter, vertical
	return s
}

// place is where a size lies on the horizontal axis.
func (c Chart) place(v float64) float64 {
	if c.Log2 {
		return math.Log2(v)
	}
	return v
}

// scale fixes the axes: from zero upwards, a tick at every size measured.
func (c Chart) scale(p *plot.Plot) {
	low, high, top := math.Inf(1), math.Inf(-1), 0.0
	var ticks []plot.Tick
	seen := map[float64]bool{}
	for _, s := range c.Series {
		for _, point := range s.Points {
			at := c.place(point.X)
			low, high, top = min(low, at), max(high, at), max(top, point.Hi)
			if !seen[point.X] {
				seen[point.X] = true
				ticks = append(ticks, plot.Tick{Value: at, Label: format.Grouped(int64(point.X))})
			}
		}
	}
	if len(ticks) == 0 {
		low, high, top = 0, 1, 1
	}
	margin := max(0.06*(high-low), 0.3)
	if c.Bars {
		margin = 0.6
	}
	p.X.Min, p.X.Max = low-margin, high+margin
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	step := niceStep(top / 6)
	p.Y.Min, p.Y.Max = 0, math.Ceil(max(top, step)*1.01/step)*step
	p.Y.Tick.Marker = plot.ConstantTicks(rulings(p.Y.Max, step))
}

func rulings(top, step float64) []plot.Tick {
	var ticks []plot.Tick
	for i := 0; float64(i)*step <= top*1.0001; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: tickLabel(v)})
	}
	return ticks
}

func tickLabel(v float64) string {
	if v >= 1000 {
		return format.Grouped(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power {
			return m * power
		}
	}
	return 10 * power
}

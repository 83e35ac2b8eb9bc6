// Package page writes report.html: one file that needs no network, with its styles,
// its script and the plotting library within.
package page

import (
	"embed"
	"encoding/json"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/chart"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/summary"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// File is the name of the self-contained page in a run's directory.
const File = "report.html"

//go:embed web
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"capital":  format.Capital,
	"number":   format.Number,
	"interval": format.WithInterval,
	"color":    func(i int) template.CSS { return template.CSS(chart.Palette[i%len(chart.Palette)]) },
	"badge":    func(j findings.Judgement) string { return strings.ReplaceAll(string(j), " ", "-") },
	"warning":  format.WarningLine,
	"inc":      func(i int) int { return i + 1 },
	"shape":    func(i int) template.HTML { return shapes[i%len(shapes)] },
}).ParseFS(pageFiles, "web/page.html"))

// shapes are the script's markers, for the legend.
var shapes = []template.HTML{`<circle r="6"/>`, `<rect x="-5.5" y="-5.5" width="11" height="11"/>`, `<path d="M0-7 6.5 5.5H-6.5z"/>`, `<path d="M0-7.5 7.5 0 0 7.5-7.5 0z"/>`}

// page is what the template is filled with.
type page struct {
	Title    string
	Live     bool // served while the run goes on
	Finished bool // the run that is served
	Summary  *summary.Summary
	Checks   checks
	Table    pageTable
	Loads    pageTable // arrival rates and scenarios
	Captions []string
	Stacks   []*record.Stack // drawn, in the order of their colours
	Drawings []drawing
	Phases   []phases // where time went, by stack; none: no service tells
	Data     any      // of the drawings, for the script
	Cells    cells    // behind every figure, for the script
	Markdown string   // of the table, to be copied
	Facts    []fact
	Manifest string
	Command  string
	Style    template.CSS
	Script   template.JS
}

type pageTable struct {
	Key     string // in the page
	Columns []pageColumn
	Rows    [][]pageEntry
	Notes   []string
}

type pageColumn struct{ Name, Unit string }

type pageEntry struct {
	Text, Interval string
	Sort           string // a number, or empty
	Note           int
	Doubtful       bool
	Span           int    // columns, 0 for one
	From           string // the cells behind it, for the script: "3,14"
}

// Write fills the template: one file without a link to anything.
func Write(x *figures.Index, w io.Writer) error { return write(x, w, page{}) }

// WriteLive writes a page that asks its server for more while a run is under way.
func WriteLive(x *figures.Index, w io.Writer, finished bool) error {
	return write(x, w, page{Live: true, Finished: finished})
}

func write(x *figures.Index, w io.Writer, p page) error {
	s := summary.New(x)
	p.fill(x, s)
	var markdown strings.Builder
	s.MarkdownTable(&markdown)
	manifest, err := json.MarshalIndent(x.Results.Manifest, "", "  ")
	if err != nil {
		return err
	}
	style, err := concat("web/uplot/uPlot.min.css", "web/page.css")
	if err != nil {
		return err
	}
	script, err := concat("web/uplot/uPlot.iife.min.js", "web/begin.js", "web/table.js", "web/chart.js", "web/timeline.js", "web/records.js", "web/start.js", "web/live.js", "web/end.js")
	if err != nil {
		return err
	}
	p.Markdown, p.Manifest = markdown.String(), string(manifest)
	p.Style, p.Script = template.CSS(style), template.JS(script)
	return pageTemplate.Execute(w, p)
}

// fill sets what follows from the records.
func (p *page) fill(x *figures.Index, s *summary.Summary) {
	p.Summary, p.Table, p.Loads, p.Captions, p.Stacks = s, newPageTable("summary", s.Table()), newPageTable("loads", s.LoadTable()), s.Captions(), x.Comparable()
	p.Title = "Embedding stacks compared"
	if s.Stress {
		p.Title = "Stress test"
	}
	p.Drawings = drawings(x, p.Stacks)
	if !s.Ranked() { // what only a comparison measures is not missed
		p.Drawings = slices.DeleteFunc(p.Drawings, func(d drawing) bool { return !d.Drawn() })
	}
	p.Checks, p.Facts, p.Command = newChecks(x.Results, s.Stress), facts(x.Results), shellLine(x.Results.Manifest.Command)
	p.Data, p.Cells, p.Phases = drawingData(p.Drawings), newCells(x, p.Stacks), timeSpent(x, p.Stacks)
}

func concat(names ...string) (string, error) {
	var b strings.Builder
	for _, name := range names {
		data, err := pageFiles.ReadFile(name)
		if err != nil {
			return "", err
		}
		b.Write(data)
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func newPageTable(key string, t *table.Table) pageTable {
	p := pageTable{Key: key, Notes: t.Notes}
	for _, c := range t.Columns {
		p.Columns = append(p.Columns, pageColumn{c.Name, c.Unit})
	}
	for _, row := range t.Rows {
		var entries []pageEntry
		for i, e := range row {
			entry := pageEntry{Text: e.Text, Interval: e.Interval, Note: e.Note, Doubtful: e.Doubtful, From: joined(e.From)}
			if i > 0 && !e.Span && !math.IsNaN(e.Value) {
				entry.Sort = strconv.FormatFloat(e.Value, 'g', -1, 64)
			}
			if e.Span {
				entry.Span = len(t.Columns) - i
			}
			entries = append(entries, entry)
		}
		p.Rows = append(p.Rows, entries)
	}
	return p
}

func joined(places []int) string {
	words := make([]string, len(places))
	for i, p := range places {
		words[i] = strconv.Itoa(p)
	}
	return strings.Join(words, ",")
}

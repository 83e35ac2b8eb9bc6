// Package page writes report.html: one file that needs no network, with its styles,
// its script and the plotting library within.
package page

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

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
}).ParseFS(pageFiles, "web/page.html"))

// page is what the template is filled with.
type page struct {
	Summary  *summary.Summary
	Table    pageTable
	Captions []string
	Stacks   []*record.Stack // drawn, in the order of their colours
	Charts   []chart.Chart
	Data     any    // of the charts, for the script
	Markdown string // of the table, to be copied
	Facts    []fact
	Manifest string
	Command  string
	Style    template.CSS
	Script   template.JS
}

type pageTable struct {
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
	Span           int // columns, 0 for one
}

// fact is a line of the manifest that a reader looks for.
type fact struct{ Name, Value string }

// Write fills the template: one file without a link to anything.
func Write(x *figures.Index, w io.Writer) error {
	s := summary.New(x)
	p := page{Summary: s, Table: newPageTable(s.Table()), Captions: s.Captions(), Stacks: x.Comparable(),
		Facts: facts(x.Results), Command: shellLine(x.Results.Manifest.Command)}
	p.Charts = append(chart.Charts(x, p.Stacks), chart.LatencyChart(x, p.Stacks), chart.PercentileChart(x, p.Stacks))
	p.Data = chartData(p.Charts)
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
	script, err := concat("web/uplot/uPlot.iife.min.js", "web/page.js")
	if err != nil {
		return err
	}
	p.Markdown, p.Manifest = markdown.String(), string(manifest)
	p.Style, p.Script = template.CSS(style), template.JS(script)
	return pageTemplate.Execute(w, p)
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

func newPageTable(t *table.Table) pageTable {
	p := pageTable{Notes: t.Notes}
	for _, c := range t.Columns {
		p.Columns = append(p.Columns, pageColumn{c.Name, c.Unit})
	}
	for _, row := range t.Rows {
		var entries []pageEntry
		for i, e := range row {
			entry := pageEntry{Text: e.Text, Interval: e.Interval, Note: e.Note, Doubtful: e.Doubtful}
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

// chartData is what the script draws, with short names.
func chartData(charts []chart.Chart) any {
	type dataPoint struct {
		X     float64 `json:"x"`
		Value float64 `json:"v"`
		Lo    float64 `json:"lo"`
		Hi    float64 `json:"hi"`
		N     int     `json:"n"`
		Cell  string  `json:"cell"`
		Doubt string  `json:"doubt,omitempty"`
	}
	type dataSeries struct {
		Name   string      `json:"name"`
		Color  string      `json:"color"`
		Points []dataPoint `json:"points"`
	}
	type dataChart struct {
		Key    string       `json:"key"`
		X      string       `json:"x"`
		Y      string       `json:"y"`
		Log2   bool         `json:"log2"`
		Series []dataSeries `json:"series"`
	}
	list := make([]dataChart, 0, len(charts))
	for _, c := range charts {
		d := dataChart{Key: c.Key, X: c.X, Y: c.Y, Log2: c.Log2, Series: []dataSeries{}}
		for _, s := range c.Series {
			line := dataSeries{Name: s.Name, Color: chart.Palette[s.Index%len(chart.Palette)]}
			for _, p := range s.Points {
				line.Points = append(line.Points, dataPoint{p.X, p.Value, p.Lo, p.Hi, p.N, p.Cell, p.Doubt})
			}
			d.Series = append(d.Series, line)
		}
		list = append(list, d)
	}
	return list
}

func facts(r *record.Results) []fact {
	m := r.Manifest
	return []fact{
		{"Model", format.ModelLine(m.Model)},
		{"Texts", format.DataLine(m.Data)},
		{"Machine", format.MachineLine(m.Machine)},
		{"System", strings.TrimSpace(m.Machine.OS + " " + m.Machine.Kernel)},
		{"Frequency governor", cmp.Or(m.Machine.Governor, "not known")},
		{"Paceline", strings.TrimSpace(m.Version + " " + m.Commit)},
		{"Started", m.Started.UTC().Format(time.RFC3339)},
		{"Took", m.Finished.Sub(m.Started).Round(time.Second).String()},
		{"Seed", fmt.Sprint(m.Seed)},
	}
}

// shellLine quotes a command so that a shell reads it back as it was.
func shellLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsFunc(a, special) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func special(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=/.,:@%+", r)
	return !plain
}

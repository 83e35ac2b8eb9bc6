package report

import (
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
)

// PageFile is the name of the self-contained page in a run's directory.
const PageFile = "report.html"

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"capital":  capital,
	"number":   number,
	"interval": withInterval,
	"color":    func(i int) template.CSS { return template.CSS(palette[i%len(palette)]) },
	"badge":    func(j Judgement) string { return strings.ReplaceAll(string(j), " ", "-") },
	"warning":  warningLine,
	"inc":      func(i int) int { return i + 1 },
}).ParseFS(pageFiles, "page/page.html"))

// page is what the template is filled with.
type page struct {
	Summary  *Summary
	Table    pageTable
	Captions []string
	Stacks   []*record.Stack // drawn, in the order of their colours
	Charts   []chart
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

// writePage fills the template: one file without a link to anything.
func (x *index) writePage(w io.Writer) error {
	s := x.summary()
	p := page{Summary: s, Table: newPageTable(s.table()), Captions: s.captions(), Stacks: x.comparable(),
		Facts: facts(x.results), Command: shellLine(x.results.Manifest.Command)}
	p.Charts = append(x.charts(p.Stacks), x.latencyChart(p.Stacks), x.percentileChart(p.Stacks))
	p.Data = chartData(p.Charts)
	var markdown strings.Builder
	s.markdownTable(&markdown)
	manifest, err := json.MarshalIndent(x.results.Manifest, "", "  ")
	if err != nil {
		return err
	}
	style, err := concat("page/uplot/uPlot.min.css", "page/page.css")
	if err != nil {
		return err
	}
	script, err := concat("page/uplot/uPlot.iife.min.js", "page/page.js")
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

func newPageTable(t *table) pageTable {
	p := pageTable{Notes: t.notes}
	for _, c := range t.columns {
		p.Columns = append(p.Columns, pageColumn{c.name, c.unit})
	}
	for _, row := range t.rows {
		var entries []pageEntry
		for i, e := range row {
			entry := pageEntry{Text: e.text, Interval: e.interval, Note: e.note, Doubtful: e.doubtful}
			if i > 0 && !e.span && !math.IsNaN(e.value) {
				entry.Sort = strconv.FormatFloat(e.value, 'g', -1, 64)
			}
			if e.span {
				entry.Span = len(t.columns) - i
			}
			entries = append(entries, entry)
		}
		p.Rows = append(p.Rows, entries)
	}
	return p
}

// chartData is what the script draws, with short names.
func chartData(charts []chart) any {
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
			line := dataSeries{Name: s.Name, Color: palette[s.Index%len(palette)]}
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
		{"Model", modelLine(m.Model)},
		{"Texts", dataLine(m.Data)},
		{"Machine", machineLine(m.Machine)},
		{"System", strings.TrimSpace(m.Machine.OS + " " + m.Machine.Kernel)},
		{"Frequency governor", firstOf(m.Machine.Governor, "not known")},
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

package report

import (
	"bufio"
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/chart"
	"github.com/paceline/paceline/internal/bench/report/export"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/page"
	"github.com/paceline/paceline/internal/bench/report/summary"
)

// PageFile is the name of the page in a run's directory.
const PageFile = page.File

// FilesFile says what the files of a run are.
const FilesFile = "FILES.md"

//go:embed files.md
var files string

// output is one file of a report.
type output struct {
	name  string
	write func(io.Writer) error
}

// Write saves the raw records and all that is derived from them in dir, which is
// made when absent; its FILES.md says what is what. Everything is written aside and
// takes its name when it is whole. results.json comes first: should a drawing fail,
// [Render] can try again.
func Write(dir string, r *record.Results) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: %w", ResultsFile, err)
	}
	raw := output{ResultsFile, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	}}
	if err := writeAll(dir, []output{raw}); err != nil {
		return err
	}
	// What is drawn now is what Render would draw, to the byte.
	read, err := Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: %w", ResultsFile, err)
	}
	return Render(dir, read)
}

// Render derives the report in dir again, leaving results.json as it is.
func Render(dir string, r *record.Results) error { return writeAll(dir, derived(r)) }

// derived lists the files that follow from the records.
func derived(r *record.Results) []output {
	x := figures.NewIndex(r)
	with := func(write func(*figures.Index, io.Writer) error) func(io.Writer) error {
		return func(w io.Writer) error { return write(x, w) }
	}
	list := []output{
		{PageFile, with(page.Write)},
		{"summary.md", summary.New(x).WriteMarkdown},
		{FilesFile, func(w io.Writer) error { _, err := io.WriteString(w, files); return err }},
		{export.CellsFile, with(export.WriteCells)},
		{export.RequestsFile, with(export.WriteRequests)},
		{export.MetricsFile, with(export.WriteMetrics)},
		{export.MLPerfFile, with(export.WriteMLPerf)},
		{"comparison.png", func(w io.Writer) error { return chart.WritePNG(x, w, "Comparison of serving stacks", x.Comparable()) }},
	}
	for name, s := range fileNames(r.Stacks) {
		list = append(list, output{name + "_embedding_results.json", func(w io.Writer) error { return export.WriteStack(x, s, w) }}, output{name + "_embedding_benchmark.png", func(w io.Writer) error {
			return chart.WritePNG(x, w, s.Name, []*record.Stack{s})
		}})
	}
	slices.SortFunc(list, func(a, b output) int { return strings.Compare(a.name, b.name) })
	return list
}

// fileNames gives every stack a name that any file system takes: lower case, and
// a dash for what is not a letter, a digit, a dot, a dash or an underscore.
// Stacks whose names would meet are numbered in the order of the run.
func fileNames(stacks []record.Stack) map[string]*record.Stack {
	names := make(map[string]*record.Stack, len(stacks))
	for i := range stacks {
		base := fileName(stacks[i].Name)
		name := base
		for n := 2; names[name] != nil; n++ {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		names[name] = &stacks[i]
	}
	return names
}

func fileName(stack string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(stack))
	return cmp.Or(strings.TrimLeft(safe, "."), "stack")
}

func writeAll(dir string, outputs []output) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(dir, ".writing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	for _, o := range outputs {
		if err := writeFile(filepath.Join(aside, o.name), o.write); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
	}
	for _, o := range outputs {
		if err := os.Rename(filepath.Join(aside, o.name), filepath.Join(dir, o.name)); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes a file aside and gives it its name when it is whole.
func WriteFile(path string, write func(io.Writer) error) error {
	return writeAll(filepath.Dir(path), []output{{filepath.Base(path), write}})
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// Summarize computes the table and what follows from it.
func Summarize(r *record.Results) *summary.Summary { return summary.New(figures.NewIndex(r)) }

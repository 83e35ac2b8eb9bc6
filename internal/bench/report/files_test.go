package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/chart"
	"github.com/paceline/paceline/internal/bench/report/compare"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
	"github.com/paceline/paceline/internal/bench/report/summary"
)

// contents are the SHA-256 sums of all files below a directory.
func contents(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	sums := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sums[d.Name()] = sha256.Sum256(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// TestRenderIsByteIdentical: what Write made from memory, Render makes from
// results.json, to the byte; and nothing else is left in the directory.
func TestRenderIsByteIdentical(t *testing.T) {
	t.Parallel()
	reporttest.SkipDrawing(t)
	dir := filepath.Join(t.TempDir(), "new", "run")
	r := reporttest.Only(reporttest.Demo(2), "paceline/fastapi", "paceline/vllm")
	r.Manifest.Config["plan"] = []struct{ Sweep, Cell string }{{"z first in the struct", "a"}} // JSON sorts it otherwise
	if err := Write(dir, r); err != nil {
		t.Fatal(err)
	}
	first := contents(t, dir)
	want := []string{"FILES.md", "cells.csv", "comparison.png", "mlperf_summary.txt", "paceline_bench.prom", "report.html", "requests.parquet", "results.json", "summary.md"}
	for _, s := range []string{"fastapi", "vllm"} {
		want = append(want, "paceline-"+s+"_embedding_benchmark.png", "paceline-"+s+"_embedding_results.json")
	}
	slices.Sort(want)
	var names []string
	for name := range first {
		names = append(names, name)
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Fatalf("files: %v\nwant:  %v", names, want)
	}
	read, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Render(dir, read); err != nil {
		t.Fatal(err)
	}
	for _, name := range want {
		shape := strings.NewReplacer("paceline-fastapi", "<stack>", "paceline-vllm", "<stack>").Replace(name)
		if name != FilesFile && !strings.Contains(files, "`"+shape+"`") {
			t.Errorf("%s does not say what %s is", FilesFile, shape)
		}
	}
	for name, sum := range contents(t, dir) {
		if sum != first[name] {
			t.Errorf("%s is not what it was", name)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != len(want) {
		t.Errorf("something is left over: %v", entries)
	}
}

// TestWriteFailsWhole: records that cannot be encoded leave what was there.
func TestWriteFailsWhole(t *testing.T) {
	t.Parallel()
	reporttest.SkipDrawing(t)
	dir := t.TempDir()
	h := reporttest.NewHand("s")
	h.Cell("s", record.SweepOffline, 4, 1, 10, 40)
	if err := Write(dir, h.Results); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	h.Cells[0].Seconds = math.NaN()
	if err := Write(dir, h.Results); err == nil {
		t.Fatal("no number was written as a number")
	}
	after := contents(t, dir)
	if len(after) != len(before) || after[ResultsFile] != before[ResultsFile] {
		t.Error("a failed write changed the directory")
	}
	if err := writeAll(dir, []output{
		{"summary.md", func(w io.Writer) error { _, err := io.WriteString(w, "half"); return err }},
		{"other", func(io.Writer) error { return errors.New("disk full") }},
	}); err == nil || !strings.Contains(err.Error(), "other: disk full") {
		t.Errorf("err = %v", err)
	}
	if contents(t, dir)["summary.md"] != before["summary.md"] {
		t.Error("half a report took its name")
	}
	file := filepath.Join(dir, ResultsFile)
	if err := Write(file, reporttest.NewHand().Results); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(reporttest.Demo(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(bytes.NewReader(good)); err != nil {
		t.Fatalf("the control: %v", err)
	}
	stack := `"stacks":[{"name":"s"}],`
	for _, c := range []struct{ name, json, want string }{
		{"cut off", string(good[:len(good)/2]), "unexpected end of JSON input"},
		{"empty", "", "unexpected end"},
		{"another file", `{"total_requests": 3}`, "no schema number"},
		{"newer", `{"schema": 99, "cells": "in another form"}`, "schema is 99 and this paceline reads up to 1: use a newer paceline"},
		{"wrong type", `{"schema": 1, "cells": "x"}`, "cannot unmarshal"},
		{"stack twice", `{"schema":1,"stacks":[{"name":"s"},{"name":"s"}]}`, `stack "s" has no name or is listed twice`},
		{"unknown stack", `{"schema":1,` + stack + `"cells":[{"stack":"x"}]}`, `cell 0 is of stack "x"`},
		{"columns", `{"schema":1,` + stack + `"cells":[{"stack":"s","sweep":"online","batch_size":1,"concurrency":8,"requests":{"outcome":["ok"]}}]}`,
			"cell 0 (s, online, 1 text × 8 clients): its columns of requests differ in length"},
		{"time", `{"schema":1,` + stack + `"cells":[{"stack":"s","requests":{"intended_us":[5],"sent_us":[5],"finished_us":[4],"texts":[1],"outcome":["ok"]}}]}`,
			"request 0 finished before it was sent"},
		{"samples", `{"schema":1,` + stack + `"cells":[{"stack":"s","samples":{"at_us":[1,2],"cpu_seconds":[1]}}]}`, "columns of samples differ"},
		{"negative", `{"schema":1,` + stack + `"cells":[{"stack":"s","batch_size":-1}]}`, "negative size"},
	} {
		_, err := Decode(strings.NewReader(c.json))
		if !errors.Is(err, ErrResults) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent run: %v", err)
	}
}

// FuzzDecode: whatever a results.json holds, it is refused or summarised.
func FuzzDecode(f *testing.F) {
	h := reporttest.NewHand("paceline/a", "paceline/b")
	h.Stacks[0].Policy, h.Stacks[1].Policy = "direct", "continuous"
	h.Cell("paceline/a", record.SweepConcurrency, 4, 2, 10, 16, 20)
	h.Cell("paceline/b", record.SweepOnline, 1, 8, 10, 12)
	seed, err := json.Marshal(h.Results)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"schema":1,"stacks":[{"name":"s","agreement":{"comparable":true}}],"cells":[{"stack":"s","sweep":"text_length","seconds":1e-300,"samples":{"at_us":[1,2],"cpu_seconds":[1,2],"rss_bytes":[1,9223372036854775807]},"requests":{"intended_us":[0],"sent_us":[0],"finished_us":[0],"texts":[2147483647],"outcome":["ok"]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		x := figures.NewIndex(r)
		if err := summary.New(x).WriteMarkdown(io.Discard); err != nil {
			t.Fatal(err)
		}
		for _, c := range chart.Charts(x, x.Comparable()) {
			c.Plot() // lays out the axes
		}
		compare.Runs(r, r)
	})
}

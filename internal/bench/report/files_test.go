package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
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
	skipDrawing(t)
	dir := filepath.Join(t.TempDir(), "new", "run")
	r := only(demo(2), "paceline/fastapi", "paceline/vllm")
	r.Manifest.Config["plan"] = []struct{ Sweep, Cell string }{{"z first in the struct", "a"}} // JSON sorts it otherwise
	if err := Write(dir, r); err != nil {
		t.Fatal(err)
	}
	first := contents(t, dir)
	want := []string{"cells.csv", "comparison.png", "report.html", "results.json", "summary.md"}
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
	skipDrawing(t)
	dir := t.TempDir()
	h := newHand("s")
	h.cell("s", record.SweepOffline, 4, 1, 10, 40)
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
	if err := Write(file, newHand().Results); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(demo(1))
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
	h := newHand("paceline/a", "paceline/b")
	h.Stacks[0].Policy, h.Stacks[1].Policy = "direct", "continuous"
	h.cell("paceline/a", record.SweepConcurrency, 4, 2, 10, 16, 20)
	h.cell("paceline/b", record.SweepOnline, 1, 8, 10, 12)
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
		x := newIndex(r)
		if err := x.summary().WriteMarkdown(io.Discard); err != nil {
			t.Fatal(err)
		}
		for _, c := range x.charts(x.comparable()) {
			c.plot() // lays out the axes
		}
		Compare(r, r)
	})
}

// TestPictures: the right size, with the stack's colour in it; a stack without
// records gets an empty picture, which the check can tell.
func TestPictures(t *testing.T) {
	t.Parallel()
	skipDrawing(t)
	r := demo(2)
	r.Stacks = append(r.Stacks, record.Stack{Name: "silent", Error: "it never answered"})
	x := newIndex(r)
	coloured := func(s *record.Stack) int {
		var b bytes.Buffer
		if err := x.writePNG(&b, s.Name, []*record.Stack{s}); err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size.X != 2400 || size.Y != 1600 {
			t.Errorf("%s: %v pixels", s.Name, size)
		}
		rgba := image.NewRGBA(picture.Bounds())
		draw.Draw(rgba, rgba.Bounds(), picture, image.Point{}, draw.Src)
		colour := paletteColor(0)
		want, n := []byte{colour.R, colour.G, colour.B, colour.A}, 0
		for pixel := range slices.Chunk(rgba.Pix, 4) {
			if bytes.Equal(pixel, want) {
				n++
			}
		}
		return n
	}
	if n := coloured(&r.Stacks[0]); n < 50_000 { // the bars alone cover more
		t.Errorf("%d pixels in the stack's colour", n)
	}
	if n := coloured(&r.Stacks[len(r.Stacks)-1]); n != 0 {
		t.Errorf("a stack without records has %d pixels in its colour", n)
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	names := fileNames([]record.Stack{{Name: "paceline/fastapi"}, {Name: "Paceline-FastAPI"}, {Name: "../../etc/passwd"}, {Name: "tei:latest ü"}, {Name: "..."}})
	for name, want := range map[string]string{
		"paceline-fastapi": "paceline/fastapi", "paceline-fastapi-2": "Paceline-FastAPI",
		"-..-etc-passwd": "../../etc/passwd", "tei-latest--": "tei:latest ü", "stack": "...",
	} {
		if s := names[name]; s == nil || s.Name != want {
			t.Errorf("%q should be the file name of %s: %v", name, want, names)
		}
	}
}

func TestShellLine(t *testing.T) {
	t.Parallel()
	got := shellLine([]string{"paceline", "bench", "--slo", "p99<50ms", "it's", "", "--out=dir/a_b"})
	if want := `paceline bench --slo 'p99<50ms' 'it'\''s' '' --out=dir/a_b`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

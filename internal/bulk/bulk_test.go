package bulk

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/encode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spelling makes a vector of three values of a text: its length, its first byte and a
// sum of all.
type spelling struct {
	fail string   // a text that is an error
	seen chan int // nil, or told of the texts of every call
}

const spellingDim = 3

func spell(text string) []float32 {
	sum := 0
	for i, b := range []byte(text) {
		sum += (i + 1) * int(b)
	}
	return []float32{float32(len(text)), float32(text[0]) / 3, float32(sum)}
}

var errSpelling = errors.New("cannot be spelt")

func (s *spelling) Texts(ctx context.Context, texts []string, o encode.Options) ([][]float32, error) {
	if s.seen != nil {
		s.seen <- len(texts)
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if s.fail != "" && text == s.fail {
			return nil, &encode.TextError{Index: i, Err: errSpelling}
		}
		o.Report(encode.Report{Index: i, Tokens: len(text), Chunks: 1, Truncated: len(text) > 20})
		vectors[i] = spell(text)
	}
	return vectors, ctx.Err()
}

type silent struct{ resumed int64 }

func (s *silent) Resumed(_ string, rows int64) { s.resumed = rows }
func (*silent) Progress(Status)                {}

// row is a row of a file of objects.
type row struct {
	ID   string  `json:"id"`
	Text *string `json:"text,omitempty"`
}

func writeRows(t rapid.TB, path string, rows []row) {
	t.Helper()
	var b strings.Builder
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// result is a row as any of the formats gives it back.
type result struct {
	ID        string    `json:"id"`
	Embedding []float32 `json:"embedding" parquet:"embedding,list,optional"`
}

func readResults(t rapid.TB, path string, ids []string) (results []result) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch FormatOf(path) {
	case JSONL:
		for line := range strings.Lines(string(data)) {
			var r result
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
	case NPY:
		want := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(ids), spellingDim)
		if !strings.HasPrefix(string(data[10:]), want) || len(data) != npyHeader+4*spellingDim*len(ids) {
			t.Fatalf("%d bytes, header %q", len(data), data[:npyHeader])
		}
		for i, id := range ids { // it has none
			r := result{ID: id}
			for k := range spellingDim {
				r.Embedding = append(r.Embedding, math.Float32frombits(binary.LittleEndian.Uint32(data[npyHeader+4*(i*spellingDim+k):])))
			}
			results = append(results, r)
		}
	case Parquet:
		results = readParquet(t, path)
	}
	return results
}

func readParquet(t rapid.TB, path string) (results []result) {
	t.Helper()
	type stored struct {
		Embedding []float32 `parquet:"embedding,list,optional"`
		ID        *string   `parquet:"id,optional"`
	}
	rows, err := parquet.ReadFile[stored](path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		results = append(results, result{*r.ID, r.Embedding})
	}
	return results
}

// expect compares a file with the vectors of the rows' texts one by one.
func expect(t rapid.TB, path string, rows []row) {
	t.Helper()
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	got := readResults(t, path, ids)
	if len(got) != len(rows) {
		t.Fatalf("%s: %d rows, want %d", path, len(got), len(rows))
	}
	for i, r := range rows {
		var want []float32
		switch {
		case r.Text != nil && strings.TrimSpace(*r.Text) != "":
			want = spell(*r.Text)
		case FormatOf(path) == NPY:
			want = make([]float32, spellingDim)
		}
		if got[i].ID != r.ID || !slices.Equal(got[i].Embedding, want) {
			t.Fatalf("%s: row %d is %+v, want %s %v", path, i, got[i], r.ID, want)
		}
	}
}

func someRows(t *rapid.T) []row {
	texts := rapid.StringMatching(`( |[a-z]{1,30})`)
	rows := make([]row, rapid.IntRange(1, 60).Draw(t, "rows"))
	for i := range rows {
		rows[i].ID = fmt.Sprint("r", i)
		if text := texts.Draw(t, "text"); i == 0 || !rapid.Bool().Draw(t, "missing") {
			rows[i].Text = &text
		}
	}
	return rows
}

func someSizes(t *rapid.T) sizes {
	return sizes{
		chunkRows: rapid.IntRange(1, 9).Draw(t, "chunkRows"), chunkBytes: rapid.IntRange(1, 200).Draw(t, "chunkBytes"),
		pieceBytes: rapid.IntRange(1, 400).Draw(t, "pieceBytes"), pieceRows: rapid.IntRange(1, 9).Draw(t, "pieceRows"),
	}
}

func jobOf(in, out string, s sizes) Job {
	return Job{
		Inputs: []string{in}, Out: out, Format: FormatOf(out), Encoder: &spelling{}, Threads: 2, Dim: spellingDim,
		Origin: Origin{Model: "spelling", Dimensions: spellingDim}, Checkpoint: time.Hour, Watcher: &silent{}, sizes: s,
	}
}

// TestRowsOutAreRowsIn: whatever the sizes of chunks and pieces, the formats and the
// threads, there are as many rows as before, in the same order, each with its own vector.
func TestRowsOutAreRowsIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := someRows(t)
		out := filepath.Join(dir, "out."+rapid.SampledFrom([]string{"jsonl", "npy", "parquet"}).Draw(t, "format"))
		in := filepath.Join(dir, "in.jsonl")
		writeRows(t, in, rows)
		j := jobOf(in, out, someSizes(t))
		j.Threads, j.Overwrite = rapid.IntRange(1, 4).Draw(t, "threads"), true
		counts, err := Run(context.Background(), j)
		if err != nil || counts.Rows != int64(len(rows)) {
			t.Fatal(counts, err)
		}
		expect(t, out, rows)
		if _, err := os.Stat(out + partial); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("the folder beside it is still there: %v", err)
		}
	})
}

// TestKilledRunsGoOn: a run ends at any row, and what a power loss can leave is added to
// the files: bytes behind the last piece, half a line of the journal. The next run
// embeds no piece again and makes the same file.
func TestKilledRunsGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		rows := someRows(t)
		in := filepath.Join(dir, "in.jsonl")
		out := filepath.Join(dir, "out."+rapid.SampledFrom([]string{"jsonl", "npy", "parquet"}).Draw(t, "format"))
		writeRows(t, in, rows)
		j := jobOf(in, out, someSizes(t))
		j.Overwrite, j.Restart = true, true
		var stop *row
		for _, i := range rapid.Permutation(seq(len(rows))).Draw(t, "stops") {
			if rows[i].Text != nil && strings.TrimSpace(*rows[i].Text) != "" {
				stop = &rows[i]
				break
			}
		}
		if stop == nil {
			return
		}
		j.Encoder = &spelling{fail: *stop.Text}
		first, err := Run(context.Background(), j)
		if !errors.Is(err, errSpelling) || !strings.Contains(err.Error(), "in.jsonl: line ") {
			t.Fatal(err)
		}
		done := first.Rows
		if done > 0 {
			tear(t, filepath.Join(out+partial, "rows"), rapid.SliceOf(rapid.Byte()).Draw(t, "torn rows"))
			tear(t, filepath.Join(out+partial, "journal"), []byte(rapid.SampledFrom([]string{"", `{"rows": 7`, "\x00\x00\n"}).Draw(t, "torn journal")))
		}
		watcher := &silent{}
		j.Encoder, j.Restart, j.Watcher = &spelling{}, false, watcher
		counts, err := Run(context.Background(), j)
		if err != nil || counts.Rows != int64(len(rows)) || watcher.resumed != done {
			t.Fatalf("%+v, went on after %d, want %d: %v", counts, watcher.resumed, done, err)
		}
		expect(t, out, rows)
	})
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func tear(t rapid.TB, path string, more []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(more)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

var small = sizes{chunkRows: 2, chunkBytes: 1 << 20, pieceBytes: 1 << 20, pieceRows: 2}

// unfinished leaves a run that ended at the last of five rows, with four of them kept.
func unfinished(t *testing.T, name string) (Job, []row) {
	t.Helper()
	texts := []string{"one", "two", "three", "four", "five"}
	rows := make([]row, len(texts))
	for i := range texts {
		rows[i] = row{fmt.Sprint(i), &texts[i]}
	}
	in := filepath.Join(t.TempDir(), "in.jsonl")
	writeRows(t, in, rows)
	j := jobOf(in, filepath.Join(t.TempDir(), name), small)
	j.Checkpoint = 0
	j.Encoder = &spelling{fail: "five"}
	if counts, err := Run(t.Context(), j); !errors.Is(err, errSpelling) || counts.Rows != 4 {
		t.Fatal(counts, err)
	}
	j.Encoder = &spelling{}
	return j, rows
}

func TestAnotherJobIsRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Job){
		`model was "spelling" and is "other"`:      func(j *Job) { j.Origin.Model = "other" },
		`dtype was "" and is "int8"`:               func(j *Job) { j.Origin.DType = "int8" },
		`prompt was none and is "query: "`:         func(j *Job) { j.Origin.Prompt = "query: " },
		`text_column was none and is "text"`:       func(j *Job) { j.Columns.Text = "text" },
		`format was "jsonl" and is "parquet"`:      func(j *Job) { j.Format = Parquet },
		`columns was [{"name":"id","kind":"text"}`: func(j *Job) { j.Columns.Keep = []string{} },
	} {
		j, _ := unfinished(t, "out.jsonl")
		change(&j)
		_, err := Run(t.Context(), j)
		if !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--restart") {
			t.Errorf("%v, want %s", err, want)
		}
		j.Restart = true
		if counts, err := Run(t.Context(), j); err != nil || counts.Rows != 5 {
			t.Errorf("begun anew: %v, %v", counts, err)
		}
	}
}

// TestAnotherInputIsRefused, but one that goes on behind the rows that are done, or
// comes under another name, is not.
func TestAnotherInputIsRefused(t *testing.T) {
	t.Parallel()
	j, rows := unfinished(t, "out.parquet")
	other := slices.Clone(rows)
	text := "Two"
	other[1].Text = &text
	for name, changed := range map[string][]row{"another text": other, "fewer rows": rows[:3], "another order": {rows[1], rows[0], rows[2], rows[3]}} {
		writeRows(t, j.Inputs[0], changed)
		if counts, err := Run(t.Context(), j); !errors.Is(err, errChanged) || counts.Rows != 4 {
			t.Errorf("%s: %v, %v", name, counts, err)
		}
	}
	more := append(slices.Clone(rows), row{"6", &text})
	j.Inputs[0] = filepath.Join(t.TempDir(), "elsewhere.jsonl")
	writeRows(t, j.Inputs[0], more)
	if _, err := Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	expect(t, j.Out, more)
}

func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	j, rows := unfinished(t, "out.npy")
	other := &output{path: j.Out, dir: j.Out + partial, codec: npyCodec{spellingDim}}
	if err := other.open(&j, header{journalVersion, j.Origin, NPY, "", nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), j); !errors.Is(err, ErrBusy) {
		t.Errorf("while another has it: %v", err)
	}
	if err := other.abandon(); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	expect(t, j.Out, rows)
	if _, err := Run(t.Context(), j); !errors.Is(err, ErrExists) {
		t.Errorf("what is there: %v", err)
	}
}

// TestCanceledRunsEnd: what was encoded before is kept; nothing is left running.
func TestCanceledRunsEnd(t *testing.T) {
	t.Parallel()
	texts := make([]string, 500)
	rows := make([]row, len(texts))
	for i := range rows {
		texts[i] = fmt.Sprintf("text %d", i)
		rows[i] = row{fmt.Sprint(i), &texts[i]}
	}
	in := filepath.Join(t.TempDir(), "in.jsonl")
	writeRows(t, in, rows)
	j := jobOf(in, filepath.Join(t.TempDir(), "out.jsonl"), small)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan int)
	j.Encoder = &spelling{seen: seen}
	ended := make(chan error, 1)
	var counts Counts
	go func() {
		var err error
		counts, err = Run(ctx, j)
		ended <- err
	}()
	for range 50 {
		<-seen
	}
	cancel()
	for done := false; !done; {
		select {
		case <-seen:
		case err := <-ended:
			if done = true; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
	}
	if counts.Rows < 50 || counts.Rows >= 500 {
		t.Errorf("%d rows are kept", counts.Rows)
	}
	j.Encoder = &spelling{}
	if counts, err := Run(t.Context(), j); err != nil || counts.Rows != 500 {
		t.Fatal(counts, err)
	}
	expect(t, j.Out, rows)
}

func TestNothingIsLeftOfAJobThatDidNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(in, []byte("{\"text\": \"a\xff\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	j := jobOf(in, filepath.Join(dir, "out.jsonl"), small)
	j.Encoder = &spelling{fail: "a\ufffd"}
	if _, err := Run(t.Context(), j); !errors.Is(err, errSpelling) {
		t.Error(err)
	}
	j.Inputs = []string{filepath.Join(dir, "none.jsonl")}
	if _, err := Run(t.Context(), j); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImpossibleJobs(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Job){
		"no input":                        func(j *Job) { j.Inputs = nil },
		"one of several inputs":           func(j *Job) { j.Inputs = []string{"a", "-"} },
		"a stream does not know":          func(j *Job) { j.Out, j.Format = "-", NPY },
		"no columns beside the vectors":   func(j *Job) { j.Format, j.Columns.Keep = NPY, []string{"id"} },
		"the column embedding is the vec": func(j *Job) { j.Columns.Keep = []string{"embedding"} },
		"kept twice":                      func(j *Job) { j.Columns.Keep = []string{"a", "b", "a"} },
	} {
		j := jobOf("in.jsonl", "out.jsonl", small)
		change(&j)
		if _, err := Run(t.Context(), j); !errors.Is(err, ErrJob) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestKindsOfColumns: what Parquet says of its columns stays; what differs between the
// inputs becomes text.
func TestKindsOfColumns(t *testing.T) {
	t.Parallel()
	type in struct {
		N    int64   `parquet:"n"`
		X    float64 `parquet:"x"`
		B    bool    `parquet:"b"`
		Text string  `parquet:"text"`
	}
	type out struct {
		N *int64    `parquet:"n,optional"`
		X *float64  `parquet:"x,optional"`
		B *bool     `parquet:"b,optional"`
		V []float32 `parquet:"embedding,list,optional"`
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.parquet"), filepath.Join(dir, "b.jsonl")
	if err := parquet.WriteFile(a, []in{{7, 0.5, true, "one"}, {-8, 2, false, "two"}}); err != nil {
		t.Fatal(err)
	}
	j := jobOf(a, filepath.Join(dir, "out.parquet"), small)
	j.Columns.Keep = []string{"x", "n", "b"}
	if _, err := Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.ReadFile[out](j.Out)
	if err != nil || len(rows) != 2 || *rows[1].N != -8 || *rows[0].X != 0.5 || *rows[1].B || !slices.Equal(rows[1].V, spell("two")) {
		t.Errorf("%+v, %v", rows, err)
	}
	if err := os.WriteFile(b, []byte(`{"n": 9, "text": "three"}`+"\n"+`{"n": "x", "text": "four"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	j.Inputs, j.Columns.Keep, j.Overwrite = []string{a, b}, []string{"n"}, true
	if _, err := Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	type text struct {
		N string `parquet:"n,optional"`
	}
	texts, err := parquet.ReadFile[text](j.Out)
	if want := []text{{"7"}, {"-8"}, {"9"}, {"x"}}; err != nil || !slices.Equal(texts, want) {
		t.Errorf("%v, %v, want %v", texts, err, want)
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	var parquetFile, lines strings.Builder
	for _, c := range []struct {
		format Format
		to     *strings.Builder
	}{{Parquet, &parquetFile}, {JSONL, &lines}} {
		j := jobOf("-", "-", small)
		j.Format, j.Stdout, j.Stdin, j.InputFormat = c.format, c.to, strings.NewReader("one\n\nthree\n"), dataset.Lines
		if counts, err := Run(t.Context(), j); err != nil || counts.Rows != 3 || counts.Empty != 1 || counts.FirstEmpty != "standard input line 2" {
			t.Fatal(counts, err)
		}
	}
	if want := "{\"embedding\":[3,37,634]}\n{\"embedding\":null}\n{\"embedding\":[5,38.666668,1575]}\n"; lines.String() != want {
		t.Errorf("%s, want %s", lines.String(), want)
	}
	type vector struct {
		V []float32 `parquet:"embedding,list,optional"`
	}
	rows, err := parquet.Read[vector](strings.NewReader(parquetFile.String()), int64(parquetFile.Len()))
	if err != nil || len(rows) != 3 || !slices.Equal(rows[2].V, spell("three")) || rows[1].V != nil {
		t.Errorf("%v, %v", rows, err)
	}
}

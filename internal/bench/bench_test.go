package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/process"
)

// TestMain lets the test binary be a server under test: PACELINE_TEST_STACK holds
// the stub as JSON, the last argument its port.
func TestMain(m *testing.M) {
	if law := os.Getenv("PACELINE_TEST_STACK"); law != "" {
		var s stub
		if err := json.Unmarshal([]byte(law), &s); err != nil {
			panic(err)
		}
		panic(http.ListenAndServe("127.0.0.1:"+os.Args[len(os.Args)-1], &s))
	}
	openDriver = openDouble
	lastWords = time.Minute // a busy machine is slow to end a process
	goleak.VerifyTestMain(m)
}

// stub embeds by PoC's API. Its vectors are a function of the text.
type stub struct {
	Limit    int  // texts a request; more are a 422
	Negative bool // another model's vectors
	Bare     bool // vectors of length 2
	Crash    int  // texts at which it dies
	After    int  // requests after which it dies
	Dying    bool // its connections break some time before it ends

	mu   sync.Mutex
	seen []int // texts of each request
}

func vectorOf(text string) []float32 {
	x := float32(len(text)%7) / 10
	return []float32{x, 0.6, 0.8 - x}
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		return
	}
	var request struct{ Texts []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, len(request.Texts))
	nth := len(s.seen)
	s.mu.Unlock()
	switch n := len(request.Texts); {
	case s.Limit > 0 && n > s.Limit:
		http.Error(w, fmt.Sprintf("%d texts, the limit is %d", n, s.Limit), http.StatusUnprocessableEntity)
		return
	case s.Crash > 0 && n >= s.Crash, s.After > 0 && nth > s.After:
		s.die(w)
	}
	vectors := [][]float32{}
	for _, text := range request.Texts {
		v := unit(vectorOf(text))
		for i := range v {
			if s.Negative {
				v[i] = v[i] * float32(i-1)
			}
			if s.Bare {
				v[i] *= 2
			}
		}
		vectors = append(vectors, v)
	}
	json.NewEncoder(w).Encode(map[string]any{"embeddings": vectors})
}

// die ends the process, at once or some time after its connection broke.
func (s *stub) die(w http.ResponseWriter) {
	if s.Dying {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		c.Close()
		time.Sleep(200 * time.Millisecond)
	}
	fmt.Println("out of memory")
	os.Exit(9)
}

func unit(v []float32) []float32 {
	length := float32(norm(v))
	for i := range v {
		v[i] /= length
	}
	return v
}

func (s *stub) serve(t *testing.T, name string) Stack {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return Stack{Name: name, Dialect: "poc", URL: server.URL}
}

// launched is the stub as a process of its own.
func (s *stub) launched(t *testing.T, name string) Stack {
	t.Helper()
	law, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return Stack{Name: name, Dialect: "poc", Launch: &process.Spec{
		Name: name, Command: []string{os.Args[0], process.PortMark}, Env: []string{"PACELINE_TEST_STACK=" + string(law)},
		LogFile: t.TempDir() + "/log", Health: "/health", Limit: time.Minute, Grace: time.Minute,
	}}
}

func testTexts(n int) Texts {
	var texts Texts
	for i := range n {
		texts.Texts = append(texts.Texts, strings.Repeat("w ", 1+i%97))
		texts.Tokens = append(texts.Tokens, int32(3+i%97))
	}
	return texts
}

func testProbes() Probes {
	p := Probes{Texts: testTexts(20).Texts, MinCosine: 0.999}
	for _, text := range p.Texts {
		p.Reference = append(p.Reference, unit(vectorOf(text)))
	}
	return p
}

// events records what a watcher is told.
type events struct {
	stages   []string
	cells    []record.Cell
	doubts   []record.Warning
	measured func(*record.Cell)
}

func (e *events) Stage(text string)          { e.stages = append(e.stages, text) }
func (e *events) Planned(int, time.Duration) {}
func (e *events) Doubted(w record.Warning)   { e.doubts = append(e.doubts, w) }
func (e *events) Measured(c *record.Cell) {
	e.cells = append(e.cells, *c)
	if e.measured != nil {
		e.measured(c)
	}
}

func testConfig(t *testing.T, stacks ...Stack) (Config, *events) {
	t.Helper()
	watcher := &events{}
	return Config{
		Stacks:   stacks,
		Data:     testTexts(200),
		ByLength: map[int]Texts{50: testTexts(8), 100: testTexts(9)},
		Probes:   testProbes(),
		Points:   Points([]int{1, 16, 64}, []int{1, 4}, 8),
		Effort:   Effort{Name: "test", Repeats: 3, Slice: time.Millisecond, Percentile: 0.95, MaxBatch: 256, Memory: 2},
		SpoolDir: t.TempDir(),
		Watcher:  watcher,
	}, watcher
}

func run(t *testing.T, c Config) *record.Results {
	t.Helper()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRun holds a whole run of two stacks to what a result must be.
func TestRun(t *testing.T) {
	t.Parallel()
	a, b := &stub{}, &stub{Limit: 32}
	c, _ := testConfig(t, a.launched(t, "a"), b.serve(t, "b"))
	r := run(t, c)
	if len(r.Stacks) != 2 || r.Schema != record.Schema || r.Manifest.Finished.Before(r.Manifest.Started) {
		t.Fatalf("%+v", r)
	}
	for _, s := range r.Stacks {
		if s.Error != "" || !s.Agreement.Comparable || s.Agreement.Texts != 20 || s.Agreement.MinCosine < 0.999 || s.IdleBytes == 0 {
			t.Errorf("stack %+v", s)
		}
	}
	if m := r.Stacks[0].MaxBatch; m.Size != 256 || m.Limit != limitCeiling || m.Seconds <= 0 {
		t.Errorf("a's largest batch: %+v", m)
	}
	if m := r.Stacks[1].MaxBatch; m.Size != 32 || !strings.Contains(m.Limit, "limit is 32") {
		t.Errorf("b's largest batch: %+v", m)
	}
	checkCells(t, c, r)
	if left, _ := os.ReadDir(c.SpoolDir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func checkCells(t *testing.T, c Config, r *record.Results) {
	t.Helper()
	repeats := map[string]int{}
	for _, cell := range r.Cells {
		key := fmt.Sprint(cell.Stack, " ", Point{Sweep: cell.Sweep, BatchSize: cell.BatchSize, Concurrency: cell.Concurrency, TextLength: cell.TextLength})
		repeats[key]++
		n := len(cell.Requests.Outcome)
		switch {
		case cell.Stack == "b" && cell.BatchSize > 32:
			if cell.Invalid == "" || cell.Requests.Outcome[0] != "4xx" {
				t.Errorf("%s: a refused cell is %q, %v", key, cell.Invalid, cell.Requests.Outcome)
			}
			continue
		case cell.Invalid != "" && !strings.Contains(cell.Invalid, "client"): // the stubs do next to nothing
			t.Errorf("%s: %s", key, cell.Invalid)
		case n == 0 || n%cell.Concurrency != 0 || len(cell.Requests.Tokens) != n:
			t.Errorf("%s: %d requests, %d with tokens", key, n, len(cell.Requests.Tokens))
		}
		last := slices.Max(cell.Requests.Finished)
		if want := int64(cell.Seconds * 1e6); last > want+1 || last < want-1 {
			t.Errorf("%s: a slice of %v s, the last reply after %d us", key, cell.Seconds, last)
		}
		if s := cell.Samples; len(s.At) < 2 || len(s.CPU) != len(s.At) || s.At[0] > 0 || s.At[len(s.At)-1] < last || cell.PeakBytes == 0 {
			t.Errorf("%s: samples %+v do not cover the slice", key, s)
		}
	}
	for _, want := range []string{"a batch size 1", "a batch size 64", "b batch size 16", "a online", "b online", "a offline", "b offline", "a concurrency 4, 8 texts each", "b concurrency 4, 8 texts each", "a 100 characters"} {
		if repeats[want] != c.Effort.Repeats {
			t.Errorf("%q was measured %d times, want %d; there are %v", want, repeats[want], c.Effort.Repeats, repeats)
		}
	}
	if n := repeats["b batch size 64"]; n != 1 {
		t.Errorf("a refused cell was tried %d times", n)
	}
	if n := repeats["b 100 characters"]; n != 1 {
		t.Errorf("%d memory repeats of a process that cannot be started anew", n)
	}
}

// TestTurns: at each point the stacks take turns, and another one begins in each
// round, with the same requests for all.
func TestTurns(t *testing.T) {
	t.Parallel()
	stubs := []*stub{{}, {}, {}}
	c, watcher := testConfig(t, stubs[0].serve(t, "a"), stubs[1].serve(t, "b"), stubs[2].serve(t, "c"))
	c.ByLength = nil
	r := run(t, c)
	order := ""
	for _, cell := range r.Cells {
		if cell.Sweep == record.SweepOnline {
			order += cell.Stack
		}
	}
	if order != "abc"+"bca"+"cab" {
		t.Errorf("the stacks' turns: %s", order)
	}
	if len(watcher.cells) != len(r.Cells) {
		t.Errorf("the watcher saw %d cells of %d", len(watcher.cells), len(r.Cells))
	}
	slices.Sort(stubs[0].seen)
	slices.Sort(stubs[2].seen)
	if !slices.Equal(stubs[0].seen, stubs[2].seen) {
		t.Error("the stacks were sent different requests")
	}
}

func TestNotComparable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stub *stub
		want string
	}{
		"another model":  {&stub{Negative: true}, "least cosine"},
		"not normalised": {&stub{Bare: true}, "length 2.000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, watcher := testConfig(t, c.stub.serve(t, "a"))
			config.ByLength = nil
			r := run(t, config)
			if a := r.Stacks[0].Agreement; a.Comparable || !strings.Contains(a.Reason, c.want) {
				t.Errorf("%+v", a)
			}
			if len(r.Cells) == 0 || !slices.ContainsFunc(watcher.doubts, func(w record.Warning) bool { return w.Code == "not_comparable" }) {
				t.Errorf("%d cells, warnings %v: it is to be measured and doubted", len(r.Cells), watcher.doubts)
			}
		})
	}
}

func TestOtherDimension(t *testing.T) {
	t.Parallel()
	p := testProbes()
	vectors := make([][]float32, len(p.Texts))
	for i := range vectors {
		vectors[i] = []float32{1, 0}
	}
	if a := p.compare(vectors); a.Comparable || !strings.Contains(a.Reason, "dimension 2, the reference has 3") {
		t.Errorf("%+v", a)
	}
	zero := slices.Repeat([][]float32{{0, 0, 0}}, len(p.Texts))
	if a := p.compare(zero); a.Comparable || a.MeanCosine != 0 {
		t.Errorf("vectors of length 0: %+v", a)
	}
}

// TestCrash: one that dies is reported with its exit status and its log, whatever
// was noticed of its death first and whatever was asked of it, and the others are
// still measured.
func TestCrash(t *testing.T) {
	t.Parallel()
	for name, mortal := range map[string]*stub{
		"at 64 texts":              {Crash: 64},
		"at 64 texts, slowly":      {Crash: 64, Dying: true},
		"at the first text":        {Crash: 1, Dying: true},
		"while vectors are taken":  {After: 2, Dying: true},
		"while memory is measured": {After: 5, Dying: true},
		"while it is warmed up":    {After: 8, Dying: true},
		"in the middle":            {After: 50, Dying: true},
		"in the search":            {Crash: 200, Dying: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := testConfig(t, mortal.launched(t, "mortal"), (&stub{}).serve(t, "other"))
			c.Effort.Repeats = 2
			r := run(t, c)
			if e := r.Stacks[0].Error; !strings.Contains(e, "exit status 9") || !strings.Contains(e, "out of memory") {
				t.Errorf("error %q", e)
			}
			other := 0
			for _, cell := range r.Cells {
				if cell.Stack == "other" && cell.Sweep == record.SweepConcurrency {
					other++
				}
			}
			if other != 2*c.Effort.Repeats || r.Stacks[1].Error != "" {
				t.Errorf("the other stack has %d cells of the last sweep, error %q", other, r.Stacks[1].Error)
			}
		})
	}
}

func TestNothingToMeasure(t *testing.T) {
	t.Parallel()
	c, _ := testConfig(t, Stack{Name: "absent", Dialect: "poc", URL: "http://127.0.0.1:1"})
	r, err := Run(t.Context(), c)
	if !errors.Is(err, ErrNothing) || r == nil || !strings.Contains(r.Stacks[0].Error, "refused") {
		t.Errorf("%v, %+v", err, r)
	}
	c.Stacks = nil
	if _, err := Run(t.Context(), c); !errors.Is(err, ErrNothing) {
		t.Errorf("no stacks: %v", err)
	}
}

// TestInterrupt: what was measured is there, marked.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	c, watcher := testConfig(t, (&stub{}).launched(t, "a"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watcher.measured = func(*record.Cell) {
		if len(watcher.cells) == 5 {
			cancel()
		}
	}
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cells) != 5 || !slices.ContainsFunc(r.Warnings, func(w record.Warning) bool { return w.Code == "interrupted" }) {
		t.Errorf("%d cells, warnings %v", len(r.Cells), r.Warnings)
	}
	if r.Stacks[0].Error != "" {
		t.Errorf("the stack was called failed: %s", r.Stacks[0].Error)
	}
}

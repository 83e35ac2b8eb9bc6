package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// shelf offers models and counts how often each is opened.
type shelf struct {
	opened sync.Map // name -> *atomic.Int64
}

func (f *shelf) count(name string) int64 {
	n, _ := f.opened.LoadOrStore(name, new(atomic.Int64))
	return n.(*atomic.Int64).Load()
}

func (f *shelf) source(t testing.TB, name string, memory int64) Source {
	model := tinyModel(t, &fakeRunner{})
	return Source{Name: name, Aliases: []string{"the-" + name}, Repository: "org/" + name, Open: func(context.Context) (Model, error) {
		n, _ := f.opened.LoadOrStore(name, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		m := model
		var closed atomic.Bool
		m.Name, m.Repository, m.Memory = name, "org/"+name, memory
		m.Close = func() error {
			if closed.Swap(true) {
				t.Errorf("%s was closed twice", name)
			}
			return nil
		}
		return m, nil
	}}
}

func offering(t testing.TB, lazy bool, memory int64, sources ...Source) *Server {
	t.Helper()
	p, err := ProfileNamed("")
	if err != nil {
		t.Fatal(err)
	}
	s := New(p, Options{ModelMemory: memory, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := s.Offer(t.Context(), lazy, sources...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.models.Load().drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func askModel(s *Server, model string) string {
	w := ask(s, post, "/v1/embeddings", fmt.Sprintf(`{"model":%q,"input":"a"}`, model))
	return fmt.Sprint(w.Code, " ", w.Body)
}

// TestRequestsChooseTheModel by its name, its repository's, and other names it
// has; no name is the first.
func TestRequestsChooseTheModel(t *testing.T) {
	t.Parallel()
	var f shelf
	s := offering(t, false, 0, f.source(t, "a", 1), f.source(t, "b", 1), f.source(t, "org/a", 1))
	for name, want := range map[string]string{
		"": "a", "a": "a", "b": "b", "org/b": "b", "the-b": "b", "the-a": "a",
		"org/a": "org/a", // its own name goes before another's repository
	} {
		if got := askModel(s, name); !strings.Contains(got, fmt.Sprintf(`"model":%q`, want)) {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	if got := askModel(s, "c"); !strings.HasPrefix(got, "404") || !strings.Contains(got, `this server has \"a\", \"b\", \"org/a\"`) || !strings.Contains(got, `"model_not_found"`) {
		t.Errorf("unknown: %s", got)
	}
	if w := ask(s, post, "/embeddings", `["a"]`); !strings.Contains(w.Body.String(), `"model":"a"`) {
		t.Errorf("a dialect without a model: %s", w.Body)
	}
}

// TestLazy: ready at once, opened by the first request, listed as such.
func TestLazy(t *testing.T) {
	t.Parallel()
	var f shelf
	s := offering(t, true, 0, f.source(t, "a", 1), f.source(t, "b", 1))
	wantStatus(t, ask(s, get, "/health", ""), 200, "")
	list := ask(s, get, "/v1/models", "").Body.String()
	if f.count("a")+f.count("b") != 0 || strings.Count(list, `"max_model_len":null,"loaded":false`) != 2 {
		t.Errorf("opened too early: %s", list)
	}
	askModel(s, "b")
	askModel(s, "b")
	list = ask(s, get, "/v1/models", "").Body.String()
	if f.count("a") != 0 || f.count("b") != 1 || !strings.Contains(list, `"root":"org/b","parent":null,"max_model_len":16,"loaded":true`) {
		t.Errorf("opened %d and %d times: %s", f.count("a"), f.count("b"), list)
	}
}

// TestModelMemory: models make room for each other, and come back without an
// error; what the server counted of them stays.
func TestModelMemory(t *testing.T) {
	t.Parallel()
	var f shelf
	s := offering(t, false, 10, f.source(t, "a", 4), f.source(t, "b", 4), f.source(t, "c", 8))
	open := func() string {
		return ask(s, get, "/metrics", "").Body.String()
	}
	if text := open(); !strings.Contains(text, "paceline_models_loaded 2\n") || !strings.Contains(text, "paceline_models_memory_bytes 8\n") {
		t.Error("the first models are to stay")
	}
	for _, name := range []string{"a", "b", "a", "c", "a", "b"} {
		if got := askModel(s, name); !strings.HasPrefix(got, "200") || !strings.Contains(got, fmt.Sprintf(`"model":%q`, name)) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if a, b, c := f.count("a"), f.count("b"), f.count("c"); a != 2 || b != 2 || c != 2 {
		t.Errorf("opened %d, %d, %d times", a, b, c)
	}
	if got := s.queueStats().Texts; got != 6 {
		t.Errorf("%d texts counted, want 6", got)
	}
}

// TestModelTooLarge is said, not tried for ever.
func TestModelTooLarge(t *testing.T) {
	t.Parallel()
	var f shelf
	s := offering(t, true, 10, f.source(t, "a", 4), f.source(t, "b", 11))
	if got := askModel(s, "b"); !strings.HasPrefix(got, "503") || !strings.Contains(got, "11 bytes of memory and the limit for all models is 10") {
		t.Error(got)
	}
	if got := askModel(s, "a"); !strings.HasPrefix(got, "200") {
		t.Error(got)
	}
	p, _ := ProfileNamed("")
	if err := New(p, Options{ModelMemory: 10}).Offer(t.Context(), false, f.source(t, "b", 11)); err == nil {
		t.Error("a model that can never be opened is an error at the start")
	}
}

// TestOfferRefuses what could not be told apart, and what does not open.
func TestOfferRefuses(t *testing.T) {
	t.Parallel()
	var f shelf
	p, _ := ProfileNamed("")
	s := New(p, Options{})
	if err := s.Offer(t.Context(), true, f.source(t, "a", 1), f.source(t, "a", 1)); err == nil {
		t.Error("two models of one name")
	}
	broken := Source{Name: "x", Open: func(context.Context) (Model, error) { return Model{}, errors.New("no such file") }}
	if err := s.Offer(t.Context(), false, broken); err == nil || s.ready() {
		t.Errorf("%v, ready %v", err, s.ready())
	}
	lazy := offering(t, true, 0, broken)
	if got := askModel(lazy, "x"); !strings.HasPrefix(got, "500") || !strings.Contains(got, "no such file") {
		t.Error(got)
	}
}

// TestModelsUnderLoad: many requests for more models than there is room for are
// all answered, each by its own model.
func TestModelsUnderLoad(t *testing.T) {
	t.Parallel()
	var f shelf
	s := offering(t, true, 2, f.source(t, "a", 1), f.source(t, "b", 1), f.source(t, "c", 1), f.source(t, "d", 2))
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			for range 40 {
				name := string('a' + rune(r.IntN(4)))
				if got := askModel(s, name); !strings.HasPrefix(got, "200") || !strings.Contains(got, fmt.Sprintf(`"model":%q`, name)) {
					t.Errorf("%s: %s", name, got)
				}
			}
		})
	}
	wait.Wait()
	if text := ask(s, get, "/metrics", "").Body.String(); !strings.Contains(text, `embeddings_generated_total{model="d"}`) {
		t.Error("nobody asked for d: the test shows little")
	}
}

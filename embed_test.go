package paceline_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/paceline/paceline"
)

// TestBatchInvariance holds the promise that a text's vector is bit for bit the
// same whatever travels with it, and on however many threads.
func TestBatchInvariance(t *testing.T) {
	t.Parallel()
	for _, dtype := range []string{"float32", "auto"} {
		testBatchInvariance(t, paceline.WithDType(dtype))
	}
}

func testBatchInvariance(t *testing.T, dtype paceline.Option) {
	texts := readExpected(t, tinyBERT).Texts
	models := []*paceline.Model{open(t, tinyBERT, dtype, paceline.WithThreads(1)), open(t, tinyBERT, dtype, paceline.WithThreads(3))}
	alone := make([][]float32, len(texts))
	for i, text := range texts {
		alone[i] = embed(t, models[0], []string{text})[0]
	}
	r := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		picked := make([]int, 1+r.IntN(2*len(texts)))
		batch := make([]string, len(picked))
		for i := range picked {
			picked[i] = r.IntN(len(texts))
			batch[i] = texts[picked[i]]
		}
		for i, v := range embed(t, models[r.IntN(2)], batch) {
			if !slices.Equal(v, alone[picked[i]]) {
				t.Fatalf("text %d differs in a batch of %d", picked[i], len(batch))
			}
		}
	}
}

func TestEmbedOptions(t *testing.T) {
	t.Parallel()
	config := `{"prompts": {"query": "the query is "}}`
	m := open(t, copyOf(t, tinyBERT, map[string][]byte{"config_sentence_transformers.json": []byte(config)}))
	one := func(text string, options ...paceline.EmbedOption) []float32 {
		return embed(t, m, []string{text}, options...)[0]
	}
	want := one("the query is what")
	for name, got := range map[string][]float32{
		"a prompt by name": one("what", paceline.WithPrompt("query")),
		"a prompt by text": one("what", paceline.WithPromptText("the query is ")),
	} {
		if !slices.Equal(got, want) {
			t.Errorf("%s gives another vector", name)
		}
	}
	if slices.Equal(want, one("what")) {
		t.Error("a prompt changes nothing")
	}
	raw, cut := one("what", paceline.WithNormalize(false)), one("what", paceline.WithDimensions(10))
	if len(cut) != 10 || math.Abs(norm(cut)-1) > 1e-6 || math.Abs(norm(one("what"))-1) > 1e-6 || math.Abs(norm(raw)-1) < 1e-3 {
		t.Errorf("lengths: cut %g, raw %g", norm(cut), norm(raw))
	}
	if c := paceline.Cosine(cut, raw[:10]); c < 0.999999 {
		t.Errorf("the cut vector is not the beginning of the whole: cosine %g", c)
	}
	if got := m.Prompts(); len(got) != 1 || got["query"] != "the query is " {
		t.Errorf("prompts %v", got)
	}
}

func norm(v []float32) float64 { return math.Sqrt(float64(paceline.Dot(v, v))) }

func TestEmbedErrors(t *testing.T) {
	t.Parallel()
	m := open(t, tinyBERT)
	long := strings.Repeat("word ", 500)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		texts   []string
		options []paceline.EmbedOption
		want    error
		index   int // of the text to blame; -1 for none
	}{
		{"too long", context.Background(), []string{"short", long}, []paceline.EmbedOption{paceline.WithoutTruncation()}, paceline.ErrTooLong, 1},
		{"unknown prompt", context.Background(), []string{"short"}, []paceline.EmbedOption{paceline.WithPrompt("query")}, paceline.ErrUnknownPrompt, 0},
		{"too many dimensions", context.Background(), []string{"short"}, []paceline.EmbedOption{paceline.WithDimensions(49)}, paceline.ErrDimensions, -1},
		{"canceled", canceled, []string{"short"}, nil, context.Canceled, -1},
	} {
		vectors, err := m.Embed(c.ctx, c.texts, c.options...)
		if !errors.Is(err, c.want) || vectors != nil {
			t.Errorf("%s: %v, %v", c.name, vectors, err)
		}
		var blamed *paceline.TextError
		if got := errors.As(err, &blamed); got != (c.index >= 0) || got && blamed.Index != c.index {
			t.Errorf("%s: blames %v", c.name, err)
		}
	}
	if vectors, err := m.Embed(context.Background(), nil); err != nil || vectors == nil || len(vectors) != 0 {
		t.Errorf("no texts: %v, %v", vectors, err)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  map[string][]byte
		options []paceline.Option
		is      error // nil where it has no name
		want    string
	}{
		"no config":           {change: map[string][]byte{"config.json": nil}, want: "config.json"},
		"no tokenizer":        {change: map[string][]byte{"tokenizer.json": nil}, want: "it has no tokenizer that can be read: tokenizer.json, sentencepiece.bpe.model or vocab.txt"},
		"odd tokenizer":       {change: map[string][]byte{"tokenizer.json": []byte(`{"version":"1.0","model":{"type":"Morse"}}`)}, is: paceline.ErrUnsupported, want: "Morse"},
		"broken tokenizer":    {change: map[string][]byte{"tokenizer.json": []byte("{")}, want: "tokenizer.json"},
		"no weights":          {change: map[string][]byte{"model.safetensors": nil}, want: "model.safetensors"},
		"a pickle":            {change: map[string][]byte{"model.safetensors": nil, "pytorch_model.bin": {0x80}}, is: paceline.ErrPickle, want: "paceline models convert"},
		"broken weights":      {change: map[string][]byte{"model.safetensors": make([]byte, 100)}, want: "model.safetensors"},
		"unknown family":      {change: map[string][]byte{"config.json": []byte(`{"model_type": "resnet"}`)}, is: paceline.ErrUnsupported, want: `"resnet"`},
		"unknown dtype":       {options: []paceline.Option{paceline.WithDType("float7")}, want: `"float7"`},
		"a number of threads": {options: []paceline.Option{paceline.WithThreads(-1)}, want: "-1"},
	} {
		_, err := paceline.Open(context.Background(), copyOf(t, tinyBERT, c.change), c.options...)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.want)
		}
	}
}

// TestOpenByNameErrors opens names of the hub with an empty cache.
func TestOpenByNameErrors(t *testing.T) {
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, status := "RepoNotFound", http.StatusNotFound
		if strings.Contains(r.URL.Path, "gated") {
			code, status = "GatedRepo", http.StatusForbidden
		}
		w.Header().Set("X-Error-Code", code)
		w.WriteHeader(status)
	}))
	defer hub.Close()
	for _, c := range []struct {
		name, offline string
		want          error
	}{
		{"somebody/nothing", "0", paceline.ErrNotFound},
		{"somebody/gated", "0", paceline.ErrAccess},
		{"somebody/nothing", "1", paceline.ErrOffline},
	} {
		t.Setenv("HF_HOME", t.TempDir())
		t.Setenv("HF_HUB_CACHE", "")
		t.Setenv("PACELINE_CACHE", t.TempDir())
		t.Setenv("HF_ENDPOINT", hub.URL)
		t.Setenv("HF_HUB_OFFLINE", c.offline)
		if _, err := paceline.Open(context.Background(), c.name); !errors.Is(err, c.want) {
			t.Errorf("%s, offline %s: %v, want %v", c.name, c.offline, err, c.want)
		}
	}
}

// TestConcurrentEmbedAndClose holds that calls of many goroutines get the vectors
// that one gets, and that Close turns those under way into ErrClosed.
func TestConcurrentEmbedAndClose(t *testing.T) {
	t.Parallel()
	texts := readExpected(t, tinyBERT).Texts
	m := open(t, tinyBERT)
	want := embed(t, m, texts)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for err := error(nil); err == nil; {
				var got [][]float32
				got, err = m.Embed(context.Background(), texts)
				if err == nil && worst(got, want) != 0 {
					t.Error("other vectors under load")
					return
				}
				if err != nil && !errors.Is(err, paceline.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	embed(t, m, texts)
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	wait.Wait()
}

func BenchmarkEmbed(b *testing.B) {
	m := open(b, tinyBERT)
	texts := readExpected(b, tinyBERT).Texts
	for b.Loop() {
		embed(b, m, texts)
	}
	b.ReportMetric(float64(len(texts)*b.N)/b.Elapsed().Seconds(), "texts/s")
}

// BenchmarkMiniLM embeds texts of so many tokens with the real model.
func BenchmarkMiniLM(b *testing.B) {
	m := openMiniLM(b)
	words := strings.Fields("the time people year way day thing man world life hand part child eye woman place work week case point")
	r := rand.New(rand.NewPCG(11, 12))
	for _, tokens := range []int{12, 68, 128} {
		texts := make([]string, 64)
		for i := range texts {
			for range tokens - 2 { // each word is one token, and two are special
				texts[i] += words[r.IntN(len(words))] + " "
			}
		}
		b.Run(strconv.Itoa(tokens), func(b *testing.B) {
			for b.Loop() {
				embed(b, m, texts)
			}
			b.ReportMetric(float64(len(texts)*b.N)/b.Elapsed().Seconds(), "texts/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		m, err := paceline.Open(context.Background(), tinyBERT)
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}

package paceline_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/paceline/paceline"
)

// TestChunkMean computes the mean of a long text's chunks by hand, through the
// engine: each chunk as a text of its own, weighted by its words, which are a token
// each.
func TestChunkMean(t *testing.T) {
	t.Parallel()
	m := open(t, copyOf(t, tinyBERT, map[string][]byte{"sentence_bert_config.json": []byte(`{"max_seq_length": 12}`)}))
	words := strings.Fields(strings.Repeat("the cat and a dog ", 5))[:24]
	raw := paceline.WithNormalize(false)
	parts := embed(t, m, []string{strings.Join(words[:10], " "), strings.Join(words[10:20], " "), strings.Join(words[20:], " ")}, raw)
	var reports sync.Map
	texts := []string{"short", strings.Join(words, " ")}
	got := embed(t, m, texts, raw, paceline.WithLongText(paceline.LongChunkMean),
		paceline.WithReport(func(r paceline.TextReport) { reports.Store(r.Index, r) }))
	for i, x := range got[1] {
		want := (10*float64(parts[0][i]) + 10*float64(parts[1][i]) + 4*float64(parts[2][i])) / 24
		if math.Abs(float64(x)-want) > 1e-6 {
			t.Fatalf("value %d is %g, the chunks' mean is %g", i, x, want)
		}
	}
	if r, _ := reports.Load(1); r != (paceline.TextReport{Index: 1, Tokens: 24 + 3*2, Chunks: 3}) {
		t.Errorf("%+v", r)
	}
	if d := paceline.Cosine(got[0], embed(t, m, texts[:1])[0]); d < 0.999999 {
		t.Errorf("a text that fits is embedded otherwise: cosine %g", d)
	}
	cut := embed(t, m, texts[1:], raw)[0]
	if paceline.Cosine(cut, got[1]) > 0.99999 {
		t.Error("the mean is the vector of what truncation keeps: the test shows nothing")
	}
	unit := embed(t, m, texts[1:], paceline.WithLongText(paceline.LongChunkMean))[0]
	if n := paceline.Dot(unit, unit); math.Abs(float64(n)-1) > 1e-5 || paceline.Cosine(unit, got[1]) < 0.999999 {
		t.Errorf("the mean is scaled last: length² %g", n)
	}
}

func TestLongText(t *testing.T) {
	t.Parallel()
	m := open(t, tinyBERT)
	long := strings.Repeat("the cat ", 200)
	if _, err := m.Embed(t.Context(), []string{long}, paceline.WithLongText(paceline.LongError)); !errors.Is(err, paceline.ErrTooLong) {
		t.Errorf("%v", err)
	}
	var report paceline.TextReport
	if _, err := m.Embed(t.Context(), []string{long}, paceline.WithReport(func(r paceline.TextReport) { report = r })); err != nil || !report.Truncated || report.Tokens != 128 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := m.Embed(t.Context(), []string{"a"}, paceline.WithLongText("half")); err == nil {
		t.Error("an unknown policy")
	}
}

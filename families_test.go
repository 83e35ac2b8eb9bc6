package paceline_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/paceline/paceline"
)

// TestFamilyEdges takes every small model of all families to the edges of what it
// takes: the empty text, one token, up to the limit and beyond it, alone and
// among others; a vector is the same bit for bit in each batch.
func TestFamilyEdges(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared(t), "tiny", "*", "expected.json"))
	if err != nil || len(files) < 14 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		if len(readExpected(t, dir).Embeddings) == 0 {
			continue // a classifier
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			m := open(t, dir, paceline.WithThreads(2))
			texts := []string{"", "a", "."}
			if filepath.Base(dir) != "static_embedding" { // which has no limit
				texts = append(texts, atLimit(t, m)...)
			}
			alone := make([][]float32, len(texts))
			for i, text := range texts {
				alone[i] = embed(t, m, []string{text})[0]
			}
			batch := slices.Repeat(texts, 3)
			slices.Reverse(batch)
			for i, v := range embed(t, m, batch) {
				if !slices.Equal(v, alone[(len(batch)-1-i)%len(texts)]) {
					t.Errorf("text %d differs in a batch", i)
				}
			}
		})
	}
}

// words are n words that no tokenizer joins.
func words(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d-%c ", i%7, 'a'+i%26)
	}
	return b.String()
}

// atLimit is the longest text of whole words that the model takes whole, and one of
// a word more, which is refused or cut to the limit.
func atLimit(t *testing.T, m *paceline.Model) []string {
	t.Helper()
	refuse := paceline.WithLongText(paceline.LongError)
	tooLong := func(n int) bool {
		_, err := m.Embed(t.Context(), []string{words(n)}, refuse)
		if err != nil && !errors.Is(err, paceline.ErrTooLong) {
			t.Fatal(err)
		}
		return err != nil
	}
	most := m.MaxTokens() + 1 // a word is a token or more
	n := sort.Search(most, tooLong) - 1
	if n < 1 || n == most-1 {
		t.Fatalf("%d words fit into %d tokens", n, m.MaxTokens())
	}
	exact, over := words(n), words(n+1)
	if _, err := m.Embed(t.Context(), []string{over}, paceline.WithReport(func(r paceline.TextReport) {
		if !r.Truncated || r.Tokens != m.MaxTokens() {
			t.Errorf("beyond the limit of %d: %+v", m.MaxTokens(), r)
		}
	})); err != nil {
		t.Error(err)
	}
	return []string{exact, over}
}

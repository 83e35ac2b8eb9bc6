package assemble

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/store"
)

// TestVocabularyAlone: a repository that has vocab.txt and no tokenizer.json gives
// the same ids.
func TestVocabularyAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Model struct{ Vocab map[string]int }
	}
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err != nil || json.Unmarshal(data, &file) != nil {
		t.Fatal(err)
	}
	words := make([]string, len(file.Model.Vocab))
	for word, id := range file.Model.Vocab {
		words[id] = word
	}
	if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(strings.Join(words, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(context.Background(), store.New(store.Options{Offline: true}), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	want := openTiny(t, Options{})
	for _, text := range []string{"", "The quick brown fox, 123!", "Ünïcode 中文 text"} {
		a, errA := m.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{})
		b, errB := want.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{})
		if errA != nil || errB != nil || !slices.Equal(a.IDs, b.IDs) {
			t.Errorf("%q: %v, want %v (%v, %v)", text, a.IDs, b.IDs, errA, errB)
		}
	}
	sums, err := m.Files(context.Background())
	if _, ok := sums["vocab.txt"]; err != nil || !ok {
		t.Errorf("made from %v, %v", sums, err)
	}
	if _, err := fs.Stat(os.DirFS(dir), "tokenizer.json"); err == nil {
		t.Error("the test shows nothing: tokenizer.json is there")
	}
}

package token

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// families are the tiny tokenizers of testdata.
var families = []string{"roberta", "modernbert", "qwen3", "embedding_gemma", "xlm_roberta"}

// A family is a tiny tokenizer and the ids that transformers gives texts with it.
type family struct {
	Tokenizer json.RawMessage `json:"tokenizer"`
	Limit     int             `json:"limit"`
	Texts     []string        `json:"texts"`
	IDs       [][]int32       `json:"ids"`
}

func readFamily(t testing.TB, name string) family {
	t.Helper()
	var f family
	if err := json.Unmarshal(readCompressed(t, "tiny_"+name+".json.gz"), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Texts) != 64 || len(f.IDs) != 64 {
		t.Fatalf("%s has %d texts and %d lists of ids, want 64", name, len(f.Texts), len(f.IDs))
	}
	return f
}

func TestFamiliesMatchTransformers(t *testing.T) {
	t.Parallel()
	for _, name := range families {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readFamily(t, name)
			tok := mustParse(t, f.Tokenizer)
			for i, text := range f.Texts {
				if got := tok.Encode(text, Options{Special: true, MaxTokens: f.Limit}).IDs; !slices.Equal(got, f.IDs[i]) {
					t.Errorf("%.80q: ids %v, want %v", text, got, f.IDs[i])
				}
			}
		})
	}
}

// realTokenizer is the tokenizer.json of a large model, too large or not free enough to lie in the repository.
func realTokenizer(t testing.TB, name string) []byte {
	t.Helper()
	folder := os.Getenv("PACELINE_TEST_TOKENIZERS")
	if folder == "" {
		t.Skip("PACELINE_TEST_TOKENIZERS is not set: no tokenizers of large models to test with")
	}
	data, err := os.ReadFile(filepath.Join(folder, name+".json"))
	if err != nil {
		t.Skipf("no %s: %v", name, err)
	}
	return data
}

func TestRealTokenizersMatchTransformers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"qwen3", "gemma3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tok := mustParse(t, realTokenizer(t, name))
			var texts []string
			readShared(t, &texts, "texts64.json")
			var want struct {
				IDs [][]int32 `json:"input_ids"`
			}
			readShared(t, &want, "real", "tokenizers", name+"_ids.json")
			if len(want.IDs) != len(texts) {
				t.Fatalf("%d lists of ids for %d texts", len(want.IDs), len(texts))
			}
			for i, text := range texts {
				if got := tok.Encode(text, Options{Special: true}).IDs; !slices.Equal(got, want.IDs[i]) {
					t.Errorf("%.80q: ids %v, want %v", text, got, want.IDs[i])
				}
			}
		})
	}
}

// TestDifferentialFamilies compares 100,000 strings a tokenizer with the `tokenizers` library.
func TestDifferentialFamilies(t *testing.T) {
	t.Parallel()
	referencePython(t)
	for _, name := range families {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareMany(t, readFamily(t, name).Tokenizer)
		})
	}
	for _, name := range []string{"qwen3", "gemma3"} {
		t.Run("real "+name, func(t *testing.T) {
			t.Parallel()
			compareMany(t, realTokenizer(t, name))
		})
	}
}

// compareMany compares 100,000 strings, and giants.
func compareMany(t *testing.T, data []byte) {
	t.Helper()
	tok := mustParse(t, data)
	ref := startReference(t, data)
	n := newNasty(1, tok)
	compared := 0
	for range 100 { // a thousand each
		compared += ref.compare(t, tok, request{Texts: asTexts(n.texts(500)), Special: true})
		compared += ref.compare(t, tok, request{Texts: asTexts(n.texts(300)), MaxTokens: 1 + n.random.IntN(40), Left: n.random.IntN(2) == 0})
		compared += ref.compare(t, tok, request{Texts: pairs(n, 200), Special: true, MaxTokens: 4 + n.random.IntN(40), Left: n.random.IntN(2) == 0})
	}
	compareLimits(t, tok, ref)
	t.Logf("compared %d texts", compared)
}

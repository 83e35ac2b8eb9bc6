package token

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFixtures compares with the ids that sentence-transformers gave the tiny models, where those lie beside the
// repository.
func TestFixtures(t *testing.T) {
	t.Parallel()
	tiny := filepath.Join(cmp.Or(os.Getenv("PACELINE_SHARED"), filepath.Join("..", "..", "..", "shared")), "fixtures", "tiny")
	for _, family := range []string{"bert", "distilbert", "mpnet", "nomic_bert", "static_embedding"} {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(tiny, family, "tokenizer.json"))
			if err != nil {
				t.Skipf("no fixtures: %v", err)
			}
			expected, err := os.ReadFile(filepath.Join(tiny, family, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Texts []string  `json:"texts"`
				IDs   [][]int32 `json:"input_ids"`
				Limit int       `json:"max_seq_length"`
			}
			if err := json.Unmarshal(expected, &want); err != nil {
				t.Fatal(err)
			}
			if len(want.IDs) == 0 || len(want.IDs) != len(want.Texts) {
				t.Skipf("expected.json has %d texts and %d lists of ids", len(want.Texts), len(want.IDs))
			}
			tok := mustParse(t, data)
			for i, text := range want.Texts {
				if got := tok.Encode(text, Options{Special: true, MaxTokens: want.Limit}).IDs; !slices.Equal(got, want.IDs[i]) {
					t.Errorf("%.80q: ids %v, want %v", text, got, want.IDs[i])
				}
			}
		})
	}
}

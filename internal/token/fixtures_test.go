package token

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sharedPath is where a file of the fixtures is.
func sharedPath(path ...string) string {
	shared := cmp.Or(os.Getenv("PACELINE_SHARED"), filepath.Join("..", "..", "..", "shared"))
	return filepath.Join(append([]string{shared, "fixtures"}, path...)...)
}

// readShared reads a file of the fixtures that lie beside the repository; where there are none the test is skipped.
func readShared(t testing.TB, into any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(sharedPath(path...))
	if err != nil {
		t.Skipf("no fixtures: %v", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// TestFixtures compares with the ids that sentence-transformers gave the tiny models whose tokenizers are not in
// testdata.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bert", "distilbert", "mpnet", "nomic_bert", "static_embedding", "gemma3_causal", "gte"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var data json.RawMessage
			readShared(t, &data, "tiny", name, "tokenizer.json")
			var want struct {
				Texts []string  `json:"texts"`
				IDs   [][]int32 `json:"input_ids"`
				Limit int       `json:"max_seq_length"`
			}
			readShared(t, &want, "tiny", name, "expected.json")
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

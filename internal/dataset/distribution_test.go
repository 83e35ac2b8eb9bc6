package dataset_test

import (
	"compress/gzip"
	"io"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/token"
)

// bert is the tokenizer whose tokens the generator counts.
func bert(t *testing.T) *token.Tokenizer {
	t.Helper()
	file, err := os.Open("../token/testdata/minilm_tokenizer.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func lengths(tok *token.Tokenizer, texts []string) []int {
	counts := make([]int, len(texts))
	for i, text := range texts {
		counts[i] = len(tok.Encode(text, token.Options{Special: true}).IDs)
	}
	return counts
}

// TestSynthIsAsLongAsMSMarco holds generated texts to the percentiles measured on MS MARCO.
func TestSynthIsAsLongAsMSMarco(t *testing.T) {
	t.Parallel()
	counts := lengths(bert(t), dataset.Synth(1, 10000).Texts)
	slices.Sort(counts)
	for _, c := range []struct {
		percentile int
		tokens     float64
	}{{5, 40}, {25, 54}, {50, 64}, {75, 91}, {90, 115}, {95, 127}, {99, 153}} {
		got := float64(counts[len(counts)*c.percentile/100])
		if math.Abs(got/c.tokens-1) > 0.03 {
			t.Errorf("p%d is %.0f tokens, of MS MARCO %.0f", c.percentile, got, c.tokens)
		}
	}
}

func TestSynthTokensIsExact(t *testing.T) {
	t.Parallel()
	tok := bert(t)
	for _, tokens := range []int{3, 4, 5, 12, 68, 128, 500} {
		for i, got := range lengths(tok, dataset.SynthTokens(uint64(tokens), 200, tokens).Texts) {
			if got != tokens {
				t.Errorf("text %d has %d tokens, want %d", i, got, tokens)
			}
		}
	}
}

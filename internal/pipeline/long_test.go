package pipeline

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/token"
)

// words is a text of exactly n tokens of the tiny model.
func words(t testing.TB, n int) (text string, ids []int32) {
	t.Helper()
	text = strings.TrimSpace(strings.Repeat("the cat and the dog ", n))
	text = strings.Join(strings.Fields(text)[:n], " ")
	ids = tinyTokenizer(t).Encode(text, token.Options{}).IDs
	for len(ids) > n { // words of several tokens
		text = text[:strings.LastIndexByte(text, ' ')]
		ids = tinyTokenizer(t).Encode(text, token.Options{}).IDs
	}
	if len(ids) != n {
		t.Fatalf("%d tokens, want %d", len(ids), n)
	}
	return text, ids
}

func TestChunks(t *testing.T) {
	t.Parallel()
	const cls, sep = 2, 3
	for name, c := range map[string]struct {
		tokens  int
		o       PrepareOptions
		weights []int
	}{
		"empty":             {0, PrepareOptions{MaxTokens: 10}, []int{0}},
		"one token":         {1, PrepareOptions{MaxTokens: 10}, []int{1}},
		"just fits":         {8, PrepareOptions{MaxTokens: 10}, []int{8}},
		"one too many":      {9, PrepareOptions{MaxTokens: 10}, []int{8, 1}},
		"whole chunks":      {24, PrepareOptions{MaxTokens: 10}, []int{8, 8, 8}},
		"no special tokens": {24, PrepareOptions{MaxTokens: 10, NoSpecial: true}, []int{10, 10, 4}},
		"the model's limit": {300, PrepareOptions{}, []int{126, 126, 48}},
	} {
		p := mustRead(t, nil)
		text, ids := words(t, c.tokens)
		chunks, weights, err := p.PrepareChunks(Input{Text: text}, c.o)
		if err != nil || !slices.Equal(weights, c.weights) || len(chunks) != len(weights) {
			t.Errorf("%s: weights %v, want %v, %v", name, weights, c.weights, err)
			continue
		}
		for i, chunk := range chunks {
			want := slices.Clone(ids[:weights[i]])
			ids = ids[weights[i]:]
			if !c.o.NoSpecial {
				want = append(append([]int32{cls}, want...), sep)
			}
			if !slices.Equal(chunk.IDs, want) || chunk.Types != nil || chunk.Skip != 0 || chunk.Truncated {
				t.Errorf("%s: chunk %d is %+v, want %v", name, i, chunk, want)
			}
		}
	}
}

// TestChunksOfWhatFits: they are what Prepare gives.
func TestChunksOfWhatFits(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{"config_sentence_transformers.json": `{"prompts": {"query": "the dog "}}`,
		"1_Pooling/config.json": `{"pooling_mode_mean_tokens": true, "include_prompt": false}`})
	for _, in := range []Input{{Text: ""}, {Text: "the cat"}, {IDs: []int32{2, 5, 3}}} {
		for _, o := range []PrepareOptions{{}, {PromptName: "query"}, {Prompt: "a cat"}, {NoSpecial: true}} {
			want, wantErr := p.Prepare(in, o)
			got, _, err := p.PrepareChunks(in, o)
			if (err == nil) != (wantErr == nil) || !errors.Is(err, errors.Unwrap(wantErr)) && err != wantErr {
				t.Errorf("%+v %+v: %v, want %v", in, o, err, wantErr)
			} else if err == nil && (len(got) != 1 || !slices.Equal(got[0].IDs, want.IDs) || got[0].Skip != want.Skip) {
				t.Errorf("%+v %+v: %+v, want %+v", in, o, got, want)
			}
		}
	}
}

// TestChunksHaveThePrompt: each of them, and pooling leaves it out of each.
func TestChunksHaveThePrompt(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{"1_Pooling/config.json": `{"pooling_mode_mean_tokens": true, "include_prompt": false}`})
	prompt, ids := words(t, 3)
	text, own := words(t, 10)
	chunks, weights, err := p.PrepareChunks(Input{Text: text}, PrepareOptions{Prompt: prompt + " ", MaxTokens: 9})
	if err != nil || !slices.Equal(weights, []int{4, 4, 2}) {
		t.Fatalf("%v, %v", weights, err)
	}
	for i, c := range chunks {
		want := slices.Concat([]int32{2}, ids, own[:weights[i]], []int32{3})
		own = own[weights[i]:]
		if !slices.Equal(c.IDs, want) || c.Skip != 4 {
			t.Errorf("chunk %d: %+v, want %v", i, c, want)
		}
	}
	var tooLong *TooLongError
	if _, _, err := p.PrepareChunks(Input{Text: text}, PrepareOptions{Prompt: prompt + " ", MaxTokens: 5}); !errors.As(err, &tooLong) || tooLong.Limit != 5 {
		t.Errorf("no room beside the prompt: %v", err)
	}
}

// TestChunksOfIDs have nothing around them.
func TestChunksOfIDs(t *testing.T) {
	t.Parallel()
	p := mustRead(t, nil)
	chunks, weights, err := p.PrepareChunks(Input{IDs: []int32{9, 8, 7, 6, 5}}, PrepareOptions{MaxTokens: 2})
	if err != nil || !slices.Equal(weights, []int{2, 2, 1}) || !slices.Equal(chunks[2].IDs, []int32{5}) {
		t.Errorf("%+v, %v, %v", chunks, weights, err)
	}
	if _, _, err := p.PrepareChunks(Input{IDs: []int32{9, 800}}, PrepareOptions{MaxTokens: 1}); !errors.Is(err, ErrTokenID) {
		t.Errorf("an id that is none: %v", err)
	}
}

func TestMean(t *testing.T) {
	t.Parallel()
	one := []float32{1, 2}
	if got := Mean([][]float32{one}, []int{0}); !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("of one: %v", got)
	}
	if got := Mean([][]float32{{1, 0}, {0, 8}, {4, 4}}, []int{2, 1, 1}); !slices.Equal(got, []float32{1.5, 3}) {
		t.Errorf("%v", got)
	}
}

func TestParseLongText(t *testing.T) {
	t.Parallel()
	for _, l := range []LongText{LongTruncate, LongChunkMean, LongError} {
		if got, err := ParseLongText(string(l)); got != l || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := ParseLongText("mean"); err == nil || !strings.Contains(err.Error(), "truncate, chunk-mean or error") {
		t.Error(err)
	}
}

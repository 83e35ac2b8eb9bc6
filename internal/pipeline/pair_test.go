package pipeline

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// readClassifying reads the tiny model as a classifier of those labels.
func readClassifying(t *testing.T, config string, labels ...string) (*Pipeline, error) {
	t.Helper()
	spec := tinySpec()
	spec.Classifier = model.Classifier{Out: model.Linear{Weight: model.Part{Name: "classifier.weight", Rows: len(labels)}}, Labels: labels}
	return Read(files(map[string]string{"config.json": config}), tinyTokenizer(t), spec)
}

func TestScore(t *testing.T) {
	t.Parallel()
	half := []float32{0, float32(math.Log(3))}
	for config, want := range map[string][]float32{
		`{}`: {0.5, 0.75}, // one label
		`{"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}`:           half,
		`{"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}`:               half,
		`{"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}}`:        {0.5, 0.75},
		`{"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid", "x": null}`: {0.5, 0.75},
	} {
		p, err := readClassifying(t, config, "yes")
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(half)
		if err := p.Score(got); err != nil || math.Abs(float64(got[0]-want[0])) > 1e-6 || math.Abs(float64(got[1]-want[1])) > 1e-6 {
			t.Errorf("%s: %v, %v; want %v", config, got, err, want)
		}
	}
	p, err := readClassifying(t, `{}`, "a", "b")
	if err != nil || !slices.Equal(p.Labels(), []string{"a", "b"}) {
		t.Fatal(p.Labels(), err)
	}
	if got := slices.Clone(half); p.Score(got) != nil || !slices.Equal(got, half) {
		t.Errorf("two labels: %v, want the logits", got)
	}
	if err := p.Score([]float32{float32(math.NaN())}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("no number: %v", err)
	}
	for _, function := range []string{"their.own.Thing", "their.own.Identity", "torch.nn.modules.activation.Tanh"} {
		if _, err := readClassifying(t, `{"sentence_transformers": {"activation_fn": "`+function+`"}}`, "yes"); !errors.Is(err, model.ErrUnsupported) {
			t.Errorf("%s: %v", function, err)
		}
	}
}

func TestPreparePair(t *testing.T) {
	t.Parallel()
	p, err := readClassifying(t, `{}`, "yes")
	if err != nil {
		t.Fatal(err)
	}
	const cls, sep = 2, 3 // of the fixture's vocabulary
	pair, err := p.PreparePair("hello world", "hello", PrepareOptions{})
	first, _ := p.Prepare(Input{Text: "hello world"}, PrepareOptions{NoSpecial: true})
	second, _ := p.Prepare(Input{Text: "hello"}, PrepareOptions{NoSpecial: true})
	want := slices.Concat([]int32{cls}, first.IDs, []int32{sep}, second.IDs, []int32{sep})
	if err != nil || !slices.Equal(pair.IDs, want) || len(pair.Types) != len(want) || pair.Types[len(first.IDs)+1] != 0 || pair.Types[len(first.IDs)+2] != 1 {
		t.Errorf("%+v, %v; want %v", pair, err, want)
	}
	if empty, err := p.PreparePair("hello", "", PrepareOptions{}); err != nil || !slices.Equal(empty.IDs[len(empty.IDs)-2:], []int32{sep, sep}) {
		t.Errorf("an empty second text: %v, %v; both separators stay", empty.IDs, err)
	}
	var long *TooLongError
	if _, err := p.PreparePair("hello world", "hello", PrepareOptions{MaxTokens: 4}); !errors.As(err, &long) || long.Limit != 4 {
		t.Errorf("too long: %v", err)
	}
	cut, err := p.PreparePair("hello world", "hello", PrepareOptions{MaxTokens: 4, Truncate: true})
	if err != nil || len(cut.IDs) != 4 || !cut.Truncated {
		t.Errorf("cut: %+v, %v", cut, err)
	}
}

// TestPairTypes: token types reach the model where transformers hands them over.
func TestPairTypes(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]bool{
		`{}`:                                   true,
		`{"tokenizer_class": "BertTokenizer"}`: true,
		`{"tokenizer_class": "BertTokenizer", "model_input_names": ["input_ids", "attention_mask"]}`:                             false,
		`{"tokenizer_class": "PreTrainedTokenizerFast"}`:                                                                         false,
		`{"tokenizer_class": "TokenizersBackend"}`:                                                                               false,
		`{"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}`: true,
	} {
		p, err := tinyWith(t, map[string]string{"tokenizer_config.json": config})
		if err != nil {
			t.Fatal(config, err)
		}
		if pair, err := p.PreparePair("hello", "world", PrepareOptions{}); err != nil || (pair.Types != nil) != want {
			t.Errorf("%s: types %v, %v; want some: %t", config, pair.Types, err, want)
		}
	}
}

// TestStatic: a table of token vectors takes texts of any length, even none, and no
// special tokens.
func TestStatic(t *testing.T) {
	t.Parallel()
	spec := tinySpec()
	spec.MaxPositions = 1 << 17
	p, err := Read(files(map[string]string{
		"modules.json":              `[{"path":"","type":"sentence_transformers.models.StaticEmbedding"}]`,
		"sentence_bert_config.json": `{"max_seq_length": 3}`,
		"tokenizer_config.json":     `{"model_max_length": 3}`,
	}), tinyTokenizer(t), spec)
	if err != nil || p.MaxTokens() != 1<<17 {
		t.Fatal(p, err)
	}
	for text, n := range map[string]int{"": 0, "hello": 1, "hello hello hello hello hello": 5} {
		if got, err := p.Prepare(Input{Text: text}, PrepareOptions{}); err != nil || len(got.IDs) != n {
			t.Errorf("%q: %d tokens, %v; want %d", text, len(got.IDs), err, n)
		}
	}
}

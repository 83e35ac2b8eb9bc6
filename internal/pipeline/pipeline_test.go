package pipeline

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/token"
)

// tiny is the repository of a small BERT: 128 positions, 716 tokens, 48 values.
var tiny = filepath.Join("..", "..", "testdata", "tiny", "bert")

func tinySpec() *model.Spec {
	return &model.Spec{
		Hidden: 48, MaxPositions: 128, Pooling: []model.PoolingMode{model.PoolMean},
		Embedding: model.Embedding{Vocab: 716, TokenTypes: model.Part{Name: "types", Rows: 2}},
	}
}

func tinyTokenizer(t testing.TB) *token.Tokenizer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(tiny, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// files is a repository of some JSON files, given as text.
func files(contents map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range contents {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

const threeModules = `[{"path":"","type":"sentence_transformers.models.Transformer"},
	{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
	{"path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`

// tinyWith reads the tiny model's pipeline with some files added or replaced.
func tinyWith(t testing.TB, changes map[string]string) (*Pipeline, error) {
	t.Helper()
	contents := map[string]string{"modules.json": threeModules, "1_Pooling/config.json": `{"pooling_mode_mean_tokens": true}`}
	maps.Copy(contents, changes)
	return Read(files(contents), tinyTokenizer(t), tinySpec())
}

func mustRead(t testing.TB, changes map[string]string) *Pipeline {
	t.Helper()
	p, err := tinyWith(t, changes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadRepository(t *testing.T) {
	t.Parallel()
	p, err := Read(os.DirFS(tiny), tinyTokenizer(t), tinySpec())
	if err != nil {
		t.Fatal(err)
	}
	if p.Dim() != 48 || p.MaxTokens() != 128 || !p.Normalizes() || p.PoolingName() != "mean" || len(p.Prompts()) != 0 {
		t.Errorf("%d values, %d tokens, normalizes %t, pooling %s, prompts %v", p.Dim(), p.MaxTokens(), p.Normalizes(), p.PoolingName(), p.Prompts())
	}
}

func TestBareEncoder(t *testing.T) {
	t.Parallel()
	p, err := Read(fstest.MapFS{}, tinyTokenizer(t), tinySpec())
	if err != nil {
		t.Fatal(err)
	}
	if p.MaxTokens() != 128 || p.Normalizes() || p.PoolingName() != "mean" {
		t.Errorf("%d tokens, normalizes %t, pooling %s", p.MaxTokens(), p.Normalizes(), p.PoolingName())
	}
}

// TestTruncatesLeft: a model whose tokenizer cuts the beginning does so unasked.
func TestTruncatesLeft(t *testing.T) {
	t.Parallel()
	const text = "one two three four five six"
	for name, files := range map[string]map[string]string{
		"tokenizer_config.json": {"tokenizer_config.json": `{"truncation_side": "left", "model_max_length": 5}`},
		"tokenizer_args":        {"sentence_bert_config.json": `{"max_seq_length": 5, "tokenizer_args": {"truncation_side": "left"}}`},
	} {
		p, err := tinyWith(t, files)
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := p.Prepare(Input{Text: text}, PrepareOptions{Truncate: true})
		want, err2 := p.Prepare(Input{Text: text}, PrepareOptions{Truncate: true, TruncateLeft: true})
		if err != nil || err2 != nil || !slices.Equal(got.IDs, want.IDs) || !got.Truncated {
			t.Errorf("%s: %v, %v; %v, %v", name, got, want, err, err2)
		}
		ids, err := p.Prepare(Input{IDs: []int32{1, 2, 3, 4, 5, 6}}, PrepareOptions{Truncate: true})
		if err != nil || !slices.Equal(ids.IDs, []int32{2, 3, 4, 5, 6}) {
			t.Errorf("%s: ids %v, %v", name, ids, err)
		}
	}
}

func TestMaxTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int
		err   string
	}{
		{"nothing said", nil, 128, ""},
		{"max_seq_length", map[string]string{"sentence_bert_config.json": `{"max_seq_length": 100, "do_lower_case": false}`}, 100, ""},
		{"it wins over the tokenizer", map[string]string{"sentence_bert_config.json": `{"max_seq_length": 100}`, "tokenizer_config.json": `{"model_max_length": 50}`}, 100, ""},
		{"beyond the positions", map[string]string{"sentence_bert_config.json": `{"max_seq_length": 512}`}, 128, ""},
		{"null", map[string]string{"sentence_bert_config.json": `{"max_seq_length": null}`, "tokenizer_config.json": `{"model_max_length": 50}`}, 50, ""},
		{"the tokenizer's", map[string]string{"tokenizer_config.json": `{"model_max_length": 64}`}, 64, ""},
		{"the tokenizer's is endless", map[string]string{"tokenizer_config.json": `{"model_max_length": 1000000000000000019884624838656}`}, 128, ""},
		{"another file name", map[string]string{"sentence_roberta_config.json": `{"max_seq_length": 77}`}, 77, ""},
		{"the first name wins", map[string]string{"sentence_roberta_config.json": `{"max_seq_length": 77}`, "sentence_bert_config.json": `{"max_seq_length": 78}`}, 78, ""},
		{"negative", map[string]string{"sentence_bert_config.json": `{"max_seq_length": -1}`}, 0, "max_seq_length is -1"},
		{"text", map[string]string{"sentence_bert_config.json": `{"max_seq_length": "many"}`}, 0, "sentence_bert_config.json"},
		{"tokenizer's zero", map[string]string{"tokenizer_config.json": `{"model_max_length": 0}`}, 0, "model_max_length is 0"},
		{"no JSON", map[string]string{"tokenizer_config.json": `{`}, 0, "tokenizer_config.json"},
		{"handed to the tokenizer", map[string]string{"sentence_bert_config.json": `{"max_seq_length": 100, "tokenizer_args": {"model_max_length": 11}}`}, 11, ""},
		{"handed to the processor", map[string]string{"sentence_bert_config.json": `{"processor_kwargs": {"model_max_length": 11, "padding_side": "left"}}`}, 11, ""},
		{"another argument", map[string]string{"sentence_bert_config.json": `{"tokenizer_args": {"add_prefix_space": true}}`}, 0, "tokenizer_args.add_prefix_space"},
		{"another config", map[string]string{"sentence_bert_config.json": `{"config_args": {"num_hidden_layers": 1}}`}, 0, "config_args.num_hidden_layers"},
		{"at each call", map[string]string{"sentence_bert_config.json": `{"processing_kwargs": {"text": {"max_length": 7}}}`}, 0, "processing_kwargs.text.max_length"},
		{"padding at each call", map[string]string{"sentence_bert_config.json": `{"processing_kwargs": {"text": {"padding": true}, "image": {"size": 1}}}`}, 128, ""},
		{"an unknown side", map[string]string{"tokenizer_config.json": `{"truncation_side": "middle"}`}, 0, `"middle"`},
	} {
		p, err := tinyWith(t, c.files)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want it to say %q", c.name, err, c.err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case p.MaxTokens() != c.want:
			t.Errorf("%s: %d tokens, want %d", c.name, p.MaxTokens(), c.want)
		}
	}
}

func TestLowerCase(t *testing.T) {
	t.Parallel()
	lower := map[string]string{"sentence_bert_config.json": `{"do_lower_case": true}`}
	for normalizer, ok := range map[string]bool{
		`{"type": "BertNormalizer", "lowercase": true}`:                                 true,
		`{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]}`: true,
		`{"type": "BertNormalizer", "lowercase": false}`:                                false,
		`null`: false,
	} {
		lower["tokenizer.json"] = `{"normalizer": ` + normalizer + `}`
		if _, err := tinyWith(t, lower); (err == nil) != ok {
			t.Errorf("%s: %v", normalizer, err)
		}
	}
}

func TestPrepareGivesReferenceIDs(t *testing.T) {
	t.Parallel()
	var want struct {
		Texts []string  `json:"texts"`
		IDs   [][]int32 `json:"input_ids"`
	}
	data, err := os.ReadFile(filepath.Join(tiny, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	p := mustRead(t, nil)
	cut := 0
	for i, text := range want.Texts {
		got, err := p.Prepare(Input{Text: text}, PrepareOptions{Truncate: true})
		if err != nil || !slices.Equal(got.IDs, want.IDs[i]) || got.Skip != 0 || got.Types != nil {
			t.Errorf("text %d: %v (skip %d, types %v, error %v), want %v", i, got.IDs, got.Skip, got.Types, err, want.IDs[i])
		}
		if got.Truncated {
			cut++
		}
		var long *TooLongError
		if _, err := p.Prepare(Input{Text: text}, PrepareOptions{}); got.Truncated != errors.As(err, &long) {
			t.Errorf("text %d: truncated %t, but without truncation: %v", i, got.Truncated, err)
		} else if long != nil && (long.Limit != 128 || long.Tokens <= 128 || !errors.Is(err, ErrTooLong)) {
			t.Errorf("text %d: %v", i, err)
		}
	}
	if cut == 0 || cut == len(want.Texts) {
		t.Errorf("%d of %d texts were cut: the check sees nothing", cut, len(want.Texts))
	}
}

const promptConfig = `{"prompts": {"query": "the query is ", "document": "", "odd": null}, "default_prompt_name": null}`

func TestPrompts(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{sentenceConfigFile: promptConfig})
	byDefault := mustRead(t, map[string]string{sentenceConfigFile: strings.Replace(promptConfig, `_name": null`, `_name": "query"`, 1)})
	plain := func(text string) []int32 { return ids(t, p, Input{Text: text}, PrepareOptions{}) }
	for _, c := range []struct {
		name    string
		p       *Pipeline
		options PrepareOptions
		want    []int32
	}{
		{"none", p, PrepareOptions{}, plain("what")},
		{"by name", p, PrepareOptions{PromptName: "query"}, plain("the query is what")},
		{"an empty one", p, PrepareOptions{PromptName: "document"}, plain("what")},
		{"by text", p, PrepareOptions{Prompt: "find "}, plain("find what")},
		{"text wins", p, PrepareOptions{Prompt: "find ", PromptName: "query"}, plain("find what")},
		{"default", byDefault, PrepareOptions{}, plain("the query is what")},
		{"other than the default", byDefault, PrepareOptions{PromptName: "document"}, plain("what")},
	} {
		if got := ids(t, c.p, Input{Text: "what"}, c.options); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	var unknown *UnknownPromptError
	_, err := p.Prepare(Input{Text: "what"}, PrepareOptions{PromptName: "odd"})
	if !errors.As(err, &unknown) || !errors.Is(err, ErrUnknownPrompt) || !slices.Equal(unknown.Known, []string{"document", "query"}) {
		t.Errorf("unknown prompt: %v", err)
	}
	if _, err := tinyWith(t, map[string]string{sentenceConfigFile: `{"default_prompt_name": "query"}`}); !errors.Is(err, ErrUnknownPrompt) {
		t.Errorf("a default prompt that is not there: %v", err)
	}
}

func ids(t *testing.T, p *Pipeline, in Input, o PrepareOptions) []int32 {
	t.Helper()
	got, err := p.Prepare(in, o)
	if err != nil {
		t.Fatal(err)
	}
	return got.IDs
}

// TestSkip holds that include_prompt: false leaves out exactly [CLS] and the
// prompt's own tokens, and that something is always left to pool.
func TestSkip(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{
		sentenceConfigFile:      promptConfig,
		"1_Pooling/config.json": `{"pooling_mode_mean_tokens": true, "include_prompt": false}`,
	})
	prompt := ids(t, p, Input{Text: "the query is "}, PrepareOptions{})
	got, err := p.Prepare(Input{Text: "what"}, PrepareOptions{PromptName: "query"})
	if err != nil || got.Skip != len(prompt)-1 || !slices.Equal(got.IDs[:got.Skip], prompt[:got.Skip]) {
		t.Errorf("skips %d of %v (%v); the prompt alone is %v", got.Skip, got.IDs, err, prompt)
	}
	long := strings.Repeat("prompt ", 1000)
	got, err = p.Prepare(Input{Text: "what"}, PrepareOptions{Prompt: long, Truncate: true, NoSpecial: true})
	if err != nil || got.Skip != len(got.IDs)-1 {
		t.Errorf("a prompt that fills the sequence: skips %d of %d, %v", got.Skip, len(got.IDs), err)
	}
	if got, err := p.Prepare(Input{Text: "what"}, PrepareOptions{}); err != nil || got.Skip != 0 {
		t.Errorf("no prompt: skips %d, %v", got.Skip, err)
	}
}

func TestPrepareIDs(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{sentenceConfigFile: `{"prompts": {"q": "query"}, "default_prompt_name": "q"}`})
	given := []int32{2, 10, 11, 12, 3}
	for _, c := range []struct {
		name    string
		ids     []int32
		options PrepareOptions
		want    []int32
		err     error
	}{
		{"as they are", given, PrepareOptions{}, given, nil},
		{"too many", given, PrepareOptions{MaxTokens: 4}, nil, ErrTooLong},
		{"cut right", given, PrepareOptions{MaxTokens: 4, Truncate: true}, given[:4], nil},
		{"cut left", given, PrepareOptions{MaxTokens: 4, Truncate: true, TruncateLeft: true}, given[1:], nil},
		{"a limit above the model's", make([]int32, 129), PrepareOptions{MaxTokens: 1000}, nil, ErrTooLong},
		{"none", []int32{}, PrepareOptions{}, nil, ErrNoTokens},
		{"negative", []int32{1, -1}, PrepareOptions{}, nil, ErrTokenID},
		{"outside", []int32{716}, PrepareOptions{}, nil, ErrTokenID},
	} {
		got, err := p.Prepare(Input{IDs: c.ids}, c.options)
		if !errors.Is(err, c.err) || err == nil && !slices.Equal(got.IDs, c.want) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got.IDs, err, c.want, c.err)
		}
		if err == nil && got.Truncated != (len(c.want) < len(c.ids)) {
			t.Errorf("%s: truncated %t", c.name, got.Truncated)
		}
	}
	var bad *TokenIDError
	_, err := p.Prepare(Input{IDs: []int32{1, 2, 900}}, PrepareOptions{})
	if !errors.As(err, &bad) || bad.ID != 900 || bad.Index != 2 || bad.Vocab != 716 {
		t.Errorf("%v", err)
	}
	if _, err := p.Prepare(Input{Text: ""}, PrepareOptions{Prompt: " ", NoSpecial: true}); !errors.Is(err, ErrNoTokens) {
		t.Errorf("an empty text without special tokens: %v", err)
	}
}

// FuzzRead holds that no configuration makes Read panic or yields a pipeline
// without room for a token.
func FuzzRead(f *testing.F) {
	f.Add([]byte(threeModules), []byte(`{"max_seq_length": 100}`), []byte(promptConfig), []byte(`{"model_max_length": 1e30}`))
	f.Add([]byte(`[]`), []byte(`{"max_seq_length": -1}`), []byte(`{"truncate_dim": 1e9}`), []byte(`{"model_max_length": "x"}`))
	tok := tinyTokenizer(f)
	f.Fuzz(func(t *testing.T, modules, transformer, sentence, tokenizer []byte) {
		repo := fstest.MapFS{
			"modules.json": {Data: modules}, "sentence_bert_config.json": {Data: transformer},
			sentenceConfigFile: {Data: sentence}, tokenizerConfigFile: {Data: tokenizer},
			"1_Pooling/config.json": {Data: []byte(`{}`)},
		}
		p, err := Read(repo, tok, tinySpec())
		if err == nil && (p.MaxTokens() < 1 || p.MaxTokens() > 128 || p.Dim() < 1 || p.Dim() > 48) {
			t.Errorf("%d tokens, %d values", p.MaxTokens(), p.Dim())
		}
	})
}

// FuzzPrepare holds that whatever Prepare accepts an engine can run.
func FuzzPrepare(f *testing.F) {
	f.Add("what is a token", "query: ", 0, true, false)
	f.Add("\x00\xff[SEP]", "", 3, false, true)
	p := mustRead(f, map[string]string{"1_Pooling/config.json": `{"include_prompt": false}`})
	f.Fuzz(func(t *testing.T, text, prompt string, limit int, truncate, noSpecial bool) {
		got, err := p.Prepare(Input{Text: text}, PrepareOptions{Prompt: prompt, MaxTokens: limit, Truncate: truncate, NoSpecial: noSpecial})
		if err != nil {
			return
		}
		if n := len(got.IDs); n < 1 || n > 128 || limit > 0 && n > limit || got.Skip < 0 || got.Skip >= n {
			t.Errorf("%d tokens, %d skipped, limit %d", n, got.Skip, limit)
		}
	})
}

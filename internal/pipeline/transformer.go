package pipeline

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/paceline/paceline/internal/model"
)

// transformerConfigFiles are the names under which sentence-transformers looks
// for the Transformer module's configuration, in its order.
var transformerConfigFiles = []string{
	"sentence_bert_config.json",
	"sentence_roberta_config.json",
	"sentence_distilbert_config.json",
	"sentence_camembert_config.json",
	"sentence_albert_config.json",
	"sentence_xlm-roberta_config.json",
	"sentence_xlnet_config.json",
}

// transformerConfig is the Transformer module's configuration, in its old and its new
// spelling.
type transformerConfig struct {
	MaxSeqLength *float64           `json:"max_seq_length"`
	LowerCase    bool               `json:"do_lower_case"`
	Tokenizer    options            `json:"processor_kwargs"`
	OldTokenizer options            `json:"tokenizer_args"`
	Config       options            `json:"config_kwargs"`
	OldConfig    options            `json:"config_args"`
	Calls        map[string]options `json:"processing_kwargs"` // by kind of input

	file string
}

// options are keyword arguments that a file hands to Python.
type options map[string]json.RawMessage

// beside refuses options other than those named, which say nothing that matters here.
func (o options) beside(file, key string, harmless ...string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(harmless, name) {
			return fmt.Errorf("%s: %s.%s is %w", file, key, name, model.ErrUnsupported)
		}
	}
	return nil
}

// readTransformer follows sentence-transformers: at most max_seq_length tokens, or what
// the file has the tokenizer take, else tokenizer_config.json's model_max_length,
// and never more than the encoder has positions for. A truncation inside
// tokenizer.json plays no part.
func (p *Pipeline) readTransformer(fsys fs.FS, folder string, positions int) error {
	c, err := readTransformerConfig(fsys, folder)
	if err != nil {
		return err
	}
	if c.LowerCase {
		if err := requireLowerCase(fsys, folder); err != nil {
			return err
		}
	}
	t := tokenizerOptions{file: path.Join(folder, tokenizerConfigFile), key: "model_max_length"}
	if _, err := decodeFile(fsys, t.file, &t); err != nil {
		return err
	}
	if c.MaxSeqLength != nil {
		t.MaxLength, t.file, t.key = c.MaxSeqLength, c.file, "max_seq_length"
	}
	if err := t.take(c); err != nil {
		return err
	}
	if !t.givesTypes() {
		p.types = 0
	}
	if p.maxTokens, err = t.limit(positions); err != nil {
		return err
	}
	p.truncatesLeft, err = t.left()
	return err
}

func readTransformerConfig(fsys fs.FS, folder string) (*transformerConfig, error) {
	c := &transformerConfig{}
	for _, name := range transformerConfigFiles {
		c.file = path.Join(folder, name)
		if found, err := decodeFile(fsys, c.file, c); err != nil || found {
			return c, err
		}
	}
	return c, nil
}

// tokenizerOptions are what tokenizer_config.json and, over it, the Transformer
// module's file say of lengths and inputs. "No limit" is 1e30 in so many digits.
type tokenizerOptions struct {
	MaxLength *float64 `json:"model_max_length"`
	Side      string   `json:"truncation_side"`
	Class     string   `json:"tokenizer_class"`
	Inputs    []string `json:"model_input_names"`

	file, key string // that say the length
}

// take takes what the Transformer module's file hands to the tokenizer, and refuses
// what else of Python's arguments would change a vector.
func (t *tokenizerOptions) take(c *transformerConfig) error {
	given := map[string]options{"processor_kwargs": c.Tokenizer, "tokenizer_args": c.OldTokenizer}
	for _, key := range []string{"processor_kwargs", "tokenizer_args"} {
		err := given[key].beside(c.file, key, "model_max_length", "truncation_side", "padding_side", "use_fast", "revision", "trust_remote_code")
		if err != nil {
			return err
		}
		for name, into := range map[string]any{"model_max_length": &t.MaxLength, "truncation_side": &t.Side} {
			if value, ok := given[key][name]; ok {
				if err := json.Unmarshal(value, into); err != nil {
					return fmt.Errorf("%s: %s.%s: %w", c.file, key, name, err)
				}
				t.file, t.key = c.file, key+".model_max_length"
			}
		}
	}
	for _, kind := range []string{"common", "text"} {
		if err := c.Calls[kind].beside(c.file, "processing_kwargs."+kind, "padding", "return_tensors"); err != nil {
			return err
		}
	}
	harmless := []string{"use_cache", "revision", "trust_remote_code"}
	if err := c.Config.beside(c.file, "config_kwargs", harmless...); err != nil {
		return err
	}
	return c.OldConfig.beside(c.file, "config_args", harmless...)
}

func (t *tokenizerOptions) limit(positions int) (int, error) {
	if t.MaxLength == nil {
		return positions, nil
	}
	if *t.MaxLength < 1 {
		return 0, fmt.Errorf("%s: %s is %g; it must be at least 1", t.file, t.key, *t.MaxLength)
	}
	return int(min(*t.MaxLength, float64(positions))), nil
}

// givesTypes tells whether transformers hands the tokenizer's token types to the model.
// Its classes that read tokenizer.json as it is do so only where the file says it.
func (t *tokenizerOptions) givesTypes() bool {
	if t.Inputs != nil {
		return slices.Contains(t.Inputs, "token_type_ids")
	}
	return t.Class != "PreTrainedTokenizerFast" && t.Class != "TokenizersBackend"
}

func (t *tokenizerOptions) left() (bool, error) {
	switch t.Side {
	case "", "right":
		return false, nil
	case "left":
		return true, nil
	}
	return false, fmt.Errorf("%s: truncation_side %q is unknown (known: left, right)", t.file, t.Side)
}

// requireLowerCase refuses do_lower_case over a tokenizer that keeps case, for
// which sentence-transformers changes the tokenizer; where the tokenizer lowers
// case by itself, as all uncased ones do, the flag says nothing new.
func requireLowerCase(fsys fs.FS, folder string) error {
	var t struct {
		Normalizer normalizer `json:"normalizer"`
	}
	name := path.Join(folder, "tokenizer.json")
	if found, err := decodeFile(fsys, name, &t); err != nil || !found {
		return err
	}
	if !t.Normalizer.lowers() {
		return fmt.Errorf("do_lower_case is set, but %s keeps case: not supported; add a Lowercase normalizer to that file", name)
	}
	return nil
}

// normalizer is as much of a tokenizer.json's normalizer as tells whether it
// lowers case.
type normalizer struct {
	Type        string       `json:"type"`
	Lowercase   bool         `json:"lowercase"`
	Normalizers []normalizer `json:"normalizers"`
}

func (n *normalizer) lowers() bool {
	if n.Type == "Lowercase" || n.Type == "BertNormalizer" && n.Lowercase {
		return true
	}
	for i := range n.Normalizers {
		if n.Normalizers[i].lowers() {
			return true
		}
	}
	return false
}

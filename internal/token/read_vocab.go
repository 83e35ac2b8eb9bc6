package token

import (
	"bytes"
	"cmp"
	"fmt"
)

// parseVocabulary reads a vocab.txt, one token a line, as BERT's and MPNet's tokenizers do.
func parseVocabulary(data []byte, config tokenizerConfig) (*Tokenizer, error) {
	if err := config.expect("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MPNetTokenizer"); err != nil {
		return nil, err
	}
	vocab := map[string]int{}
	for id, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		vocab[string(bytes.TrimSuffix(line, []byte("\r")))] = id
	}
	names := [...]string{"[CLS]", "[SEP]", "[UNK]", "[PAD]", "[MASK]"}
	if config.Class == "MPNetTokenizer" {
		names = [...]string{"<s>", "</s>", "[UNK]", "<pad>", "<mask>"}
	}
	for i, configured := range []specialName{config.ClassifierName, config.SeparatorName, config.UnknownName, config.PadName, config.MaskName} {
		names[i] = cmp.Or(string(configured), names[i])
		if _, ok := vocab[names[i]]; !ok {
			return nil, fmt.Errorf("special token %q is not among its %d tokens", names[i], len(vocab))
		}
	}
	cls, sep := []any{names[0], vocab[names[0]]}, []any{names[1], vocab[names[1]]}
	processor := description{"type": "BertProcessing", "cls": cls, "sep": sep}
	if config.Class == "MPNetTokenizer" {
		processor = description{"type": "RobertaProcessing", "cls": cls, "sep": sep, "trim_offsets": true, "add_prefix_space": false}
	}
	return parseDescription(description{
		"added_tokens": describeSpecials(names[:4], names[4]),
		"normalizer": description{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": config.ChineseChars,
			"strip_accents": config.StripAccents, "lowercase": config.Lowercase},
		"pre_tokenizer":  description{"type": "BertPreTokenizer"},
		"post_processor": processor,
		"decoder":        description{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": description{"type": "WordPiece", "unk_token": names[2], "continuing_subword_prefix": "##",
			"max_input_chars_per_word": 100, "vocab": vocab},
	})
}

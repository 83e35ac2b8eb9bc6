package token

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

const minimalModel = `"model":{"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"u":0,"a":1,"##b":2}}`

func minimal(parts string) string { return `{"version":"1.0",` + parts + minimalModel + `}` }

func withModel(fields string) string { return `{"version":"1.0","model":{` + fields + `}}` }

func TestParseNamesWhatItLacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{``, "unexpected end"},
		{`{"version":"2.0",` + minimalModel + `}`, `version "2.0"`},
		{`{"version":"1.0"}`, "no model"},
		{`{"version":"1.0","model":{"type":"WordLevel"}}`, `model of type "WordLevel"`},
		{`{"version":"1.0","model":{"type":"WordPiece"}}`, "needs unk_token"},
		{strings.Replace(minimal(``), `"unk_token":"u"`, `"unk_token":"x"`, 1), `unk_token "x"`},
		{strings.Replace(minimal(``), `"a":1`, `"a":-1`, 1), `token "a" has id -1`},
		{strings.Replace(minimal(``), `"a":1`, `"a":1000000000`, 1), `token "a" has id 1000000000`},
		{minimal(`"normalizer":{"type":"Precompiled"},`), "shorter than its header"},
		{minimal(`"normalizer":{"type":"Precompiled","precompiled_charsmap":"CAAAAAAA"},`), "a trie of 8 bytes in 2"},
		{minimal(`"normalizer":{"type":"Replace","pattern":{"Regex":"a(?=b)"}},`), `regular expression "a(?=b)" is not supported`},
		{minimal(`"normalizer":{"type":"Sequence","normalizers":[{"type":"X"}]},`), `normalizer of type "X"`},
		{minimal(`"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 20) + strings.Repeat(`]}`, 20) + `,`), "nested deeper"},
		{minimal(`"pre_tokenizer":{"type":"UnicodeScripts"},`), `pre_tokenizer of type "UnicodeScripts"`},
		{minimal(`"pre_tokenizer":{"type":"Punctuation","behavior":"x"},`), `split behavior of type "x"`},
		{minimal(`"pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":"ab"},`), `delimiter "ab"`},
		{minimal(`"post_processor":{"type":"x"},`), `post_processor of type "x"`},
		{minimal(`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s"}}]},`), `special token "s"`},
		{minimal(`"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]},`), `no sequence "B"`},
		{minimal(`"post_processor":{"type":"BertProcessing","sep":[1],"cls":2},`), "post_processor"},
		{minimal(`"decoder":{"type":"X"},`), `decoder of type "X"`},
		{minimal(`"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[a[b]]"},"behavior":"Isolated"},`), `regular expression "[a[b]]" is not supported`},
		{minimal(`"pre_tokenizer":{"type":"Metaspace","replacement":"ab"},`), `replacement "ab"`},
		{withModel(`"type":"BPE"`), "needs vocab and merges"},
		{withModel(`"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1`), "dropout 0.1"},
		{withModel(`"type":"BPE","vocab":{"a":0},"merges":[["a","b"]]`), `merge ["a" "b"]`},
		{withModel(`"type":"BPE","vocab":{"a":0},"merges":["a b c"]`), `merge "a b c"`},
		{withModel(`"type":"BPE","vocab":{"a":0},"merges":[["a"]]`), "merge of 1 tokens"},
		{withModel(`"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"u"`), `unk_token "u"`},
		{withModel(`"type":"Unigram","vocab":[["a",0]]`), "without unk_id"},
		{withModel(`"type":"Unigram","vocab":[["a",0]],"unk_id":1`), "unk_id 1"},
		{withModel(`"type":"Unigram","vocab":[["a"]],"unk_id":0`), "a token and its score"},
		{minimal(`"normalizer":{"type":"Lowercase"},"added_tokens":[{"content":"X","normalized":true},{"content":"x","normalized":true}],`), "both looked for"},
	} {
		_, err := Parse([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "tokenizer.json: ") {
			t.Errorf("%.200s\ngives %v, want %s", c.file, err, c.want)
		}
	}
	if _, err := Parse([]byte(minimal(``))); err != nil {
		t.Errorf("the minimal file: %v", err)
	}
}

func TestUnsupportedIsToldApart(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]bool{
		withModel(`"type":"WordLevel"`):                                                             true,
		withModel(`"type":"BPE","vocab":{"a":0},"merges":[],"dropout":0.1`):                         true,
		minimal(`"pre_tokenizer":{"type":"Split","pattern":{"Regex":"^a"},"behavior":"Isolated"},`): true,
		minimal(`"decoder":{"type":"X"},`):                                                          true,
		withModel(`"type":"BPE"`):                                                                   false,
		`{`:                                                                                         false,
	} {
		if _, err := Parse([]byte(file)); err == nil || errors.Is(err, ErrUnsupported) != want {
			t.Errorf("%s gives %v, ErrUnsupported %v", file, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	tiny, err := os.ReadFile("testdata/tiny_bert.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tiny)
	for _, parts := range []string{
		``, `"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Prepend","prepend":"x"}]},`,
		`"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Whitespace"},{"type":"Punctuation","behavior":"Contiguous"}]},`,
		`"post_processor":{"type":"RobertaProcessing","sep":["s",1],"cls":["c",2],"trim_offsets":true,"add_prefix_space":true},`,
		`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s","type_id":3}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"s":{"id":"s","ids":[1,2]}}},`,
		`"added_tokens":[{"id":7,"content":"a b","lstrip":true,"rstrip":true,"normalized":true,"special":true}],`,
	} {
		f.Add([]byte(minimal(parts)))
	}
	for _, model := range []object{bpeModel(object{"unk_token": "<unk>", "byte_fallback": true}), bpeModel(object{"continuing_subword_prefix": "##"}), unigramModel(true)} {
		for _, splitter := range []string{`{"type":"ByteLevel","add_prefix_space":true}`, `{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}`} {
			data, err := json.Marshal(object{"version": "1.0", "model": model, "pre_tokenizer": json.RawMessage(splitter),
				"normalizer": object{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAAAAAAAAYQA="}})
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Parse(data)
		if err != nil {
			return
		}
		for _, o := range []Options{{Special: true, Offsets: true}, {MaxTokens: 3, Offsets: true}, {MaxTokens: 2, TruncateLeft: true}} {
			tok.Encode("ab a  中 e\u0301 [CLS] \U0001d165", o)
			e := tok.EncodePair("ab", "a b !", o)
			tok.Decode(e.IDs, true)
		}
	})
}

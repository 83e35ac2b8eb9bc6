package token

import (
	"os"
	"strings"
	"testing"
)

const minimalModel = `"model":{"type":"WordPiece","unk_token":"u","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"u":0,"a":1,"##b":2}}`

func minimal(parts string) string { return `{"version":"1.0",` + parts + minimalModel + `}` }

func TestParseNamesWhatItLacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{``, "unexpected end"},
		{`{"version":"2.0",` + minimalModel + `}`, `version "2.0"`},
		{`{"version":"1.0"}`, "no model"},
		{`{"version":"1.0","model":{"type":"BPE"}}`, `model of type "BPE"`},
		{`{"version":"1.0","model":{"type":"WordPiece"}}`, "needs unk_token"},
		{strings.Replace(minimal(``), `"unk_token":"u"`, `"unk_token":"x"`, 1), `unk_token "x"`},
		{strings.Replace(minimal(``), `"a":1`, `"a":-1`, 1), `token "a" has id -1`},
		{strings.Replace(minimal(``), `"a":1`, `"a":1000000000`, 1), `token "a" has id 1000000000`},
		{minimal(`"normalizer":{"type":"Precompiled"},`), `normalizer of type "Precompiled"`},
		{minimal(`"normalizer":{"type":"Replace","pattern":{"Regex":"a"}},`), `pattern of type "Regex"`},
		{minimal(`"normalizer":{"type":"Sequence","normalizers":[{"type":"Nmt"}]},`), `normalizer of type "Nmt"`},
		{minimal(`"normalizer":` + strings.Repeat(`{"type":"Sequence","normalizers":[`, 20) + strings.Repeat(`]}`, 20) + `,`), "nested deeper"},
		{minimal(`"pre_tokenizer":{"type":"ByteLevel"},`), `pre_tokenizer of type "ByteLevel"`},
		{minimal(`"pre_tokenizer":{"type":"Punctuation","behavior":"x"},`), `split behavior of type "x"`},
		{minimal(`"pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":"ab"},`), `delimiter "ab"`},
		{minimal(`"post_processor":{"type":"x"},`), `post_processor of type "x"`},
		{minimal(`"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"s"}}]},`), `special token "s"`},
		{minimal(`"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"B"}}]},`), `no sequence "B"`},
		{minimal(`"post_processor":{"type":"BertProcessing","sep":[1],"cls":2},`), "post_processor"},
		{minimal(`"decoder":{"type":"CTC"},`), `decoder of type "CTC"`},
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

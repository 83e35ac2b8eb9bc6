package token

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReadVocabularyAlone(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/tiny_bert.json")
	if err != nil {
		t.Fatal(err)
	}
	whole := mustParse(t, data)
	files := fstest.MapFS{
		"vocab.txt":             {Data: []byte(strings.Join(whole.model.vocabulary().tokens, "\n") + "\n")},
		"tokenizer_config.json": {Data: []byte(`{"tokenizer_class":"BertTokenizerFast","do_lower_case":true,"cls_token":{"content":"[CLS]"},"sep_token":"[SEP]"}`)},
	}
	expectSame(t, files, whole, nil)
	files["tokenizer_config.json"] = &fstest.MapFile{Data: []byte(`{"do_lower_case":false}`)}
	cased, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(cased.Encode("HELLO", Options{}).IDs, whole.Encode("HELLO", Options{}).IDs) {
		t.Error("do_lower_case was not read")
	}
}

// TestReadConfigWins: what transformers' classes make of tokenizer.json, by tokenizer_config.json or by their defaults.
func TestReadConfigWins(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/tiny_bert.json")
	if err != nil {
		t.Fatal(err)
	}
	compact := func(data []byte) []byte {
		var out bytes.Buffer
		if err := json.Compact(&out, data); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	bert, roberta := compact(file), compact(readFamily(t, "roberta").Tokenizer)
	with := func(tokenizer []byte, old, new string) []byte {
		t.Helper()
		if !strings.Contains(string(tokenizer), old) {
			t.Fatalf("the tokenizer has no %s", old)
		}
		return []byte(strings.Replace(string(tokenizer), old, new, 1))
	}
	cased := with(bert, `"lowercase":true`, `"lowercase":false`)
	for name, c := range map[string]struct {
		tokenizer, want []byte
		config, encoder string
	}{
		"by the encoder":       {tokenizer: bert, want: cased, config: `{"do_lower_case":false}`, encoder: `{"model_type":"distilbert"}`},
		"by its own class":     {tokenizer: bert, want: bert, config: `{"do_lower_case":false}`, encoder: `{"model_type":"bert","tokenizer_class":"PreTrainedTokenizerFast"}`},
		"said":                 {tokenizer: bert, want: cased, config: `{"tokenizer_class":"BertTokenizerFast","do_lower_case":false}`},
		"the default":          {tokenizer: cased, want: bert, config: `{"tokenizer_class":"DistilBertTokenizer"}`},
		"accents":              {tokenizer: bert, want: with(bert, `"strip_accents":null`, `"strip_accents":false`), config: `{"tokenizer_class":"MPNetTokenizer","strip_accents":false}`},
		"ideographs":           {tokenizer: bert, want: with(bert, `"handle_chinese_chars":true`, `"handle_chinese_chars":false`), config: `{"tokenizer_class":"BertTokenizer","tokenize_chinese_chars":false}`},
		"another class":        {tokenizer: cased, want: cased, config: `{"tokenizer_class":"PreTrainedTokenizerFast","do_lower_case":true}`},
		"no class":             {tokenizer: cased, want: cased, config: `{"do_lower_case":true}`},
		"another normalizer":   {tokenizer: with(bert, `"BertNormalizer"`, `"Lowercase"`), want: with(bert, `"BertNormalizer"`, `"Lowercase"`), config: `{"tokenizer_class":"BertTokenizer"}`},
		"a space at the front": {tokenizer: roberta, want: with(roberta, `"add_prefix_space":false`, `"add_prefix_space":true`), config: `{"tokenizer_class":"RobertaTokenizer","add_prefix_space":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"tokenizer.json": {Data: c.tokenizer}, "tokenizer_config.json": {Data: []byte(c.config)}}
			if c.encoder != "" {
				files["config.json"] = &fstest.MapFile{Data: []byte(c.encoder)}
			}
			expectSame(t, files, mustParse(t, c.want), []string{"HELLO", "Über Ünïcödé 中文字", "hello"})
			plain, err := ReadAsItIs(files)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := plain.Encode("HELLO É 中文", Options{}).IDs, mustParse(t, c.tokenizer).Encode("HELLO É 中文", Options{}).IDs; !slices.Equal(a, b) {
				t.Errorf("as it is: %v, want %v", a, b)
			}
		})
	}
}

func TestReadFixturesVocabularyAlone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bert", "distilbert", "mpnet"} {
		var whole json.RawMessage
		readShared(t, &whole, "tiny", name, "tokenizer.json")
		files := fstest.MapFS{}
		for _, file := range []string{"vocab.txt", "tokenizer_config.json"} {
			data, err := os.ReadFile(sharedPath("tiny", name, file))
			if err != nil {
				t.Fatal(err)
			}
			files[file] = &fstest.MapFile{Data: data}
		}
		expectSame(t, files, mustParse(t, whole), nil)
	}
}

func TestReadSentencePieceAlone(t *testing.T) {
	t.Parallel()
	f := readFamily(t, "xlm_roberta")
	expectSame(t, fstest.MapFS{"sentencepiece.bpe.model": {Data: sentencePieceModel(t, f.Tokenizer)}}, mustParse(t, f.Tokenizer), f.Texts)
}

// expectSame reads files and compares with a tokenizer.
func expectSame(t *testing.T, files fs.FS, want *Tokenizer, texts []string) {
	t.Helper()
	got, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Special: true, Offsets: true}
	for _, text := range append(texts, newNasty(8, want).texts(500)...) {
		a, b := got.Encode(text, o), want.Encode(text, o)
		if !slices.Equal(a.IDs, b.IDs) || !slices.Equal(a.Special, b.Special) || !slices.Equal(a.Offsets, b.Offsets) {
			t.Fatalf("%.100q: %v, want %v", text, a, b)
		}
		if a, b := got.Decode(a.IDs, true), want.Decode(b.IDs, true); a != b {
			t.Fatalf("decoded %q, want %q", a, b)
		}
	}
}

// sentencePieceModel writes the vocabulary and the map of a tokenizer.json as SentencePiece does.
func sentencePieceModel(t testing.TB, tokenizerJSON []byte) []byte {
	t.Helper()
	var file struct {
		Model struct {
			Vocab []scoredToken `json:"vocab"`
		} `json:"model"`
		Normalizer struct {
			Charsmap []byte `json:"precompiled_charsmap"`
		} `json:"normalizer"`
	}
	if err := json.Unmarshal(tokenizerJSON, &file); err != nil {
		t.Fatal(err)
	}
	message := func(out []byte, number uint64, data []byte) []byte {
		return append(binary.AppendUvarint(binary.AppendUvarint(out, number<<3|2), uint64(len(data))), data...)
	}
	var out []byte
	pieces := append([]scoredToken{{"<unk>", 0}, {"<s>", 0}, {"</s>", 0}}, file.Model.Vocab[4:len(file.Model.Vocab)-1]...)
	for _, p := range pieces {
		piece := message(nil, 1, []byte(p.token))
		piece = binary.LittleEndian.AppendUint32(append(piece, 2<<3|5), math.Float32bits(float32(p.score)))
		out = message(out, 1, append(piece, 3<<3, 1))
	}
	out = message(out, 2, []byte{3 << 3, 1})
	return message(out, 3, message(nil, 2, file.Normalizer.Charsmap))
}

func TestReadNamesWhatItLacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, data, config, want string
		kind                     error
	}{
		{"README.md", "", "", "vocab.txt", fs.ErrNotExist},
		{"tokenizer.json", "{", "", "tokenizer.json: unexpected end", nil},
		{"vocab.txt", "a\nb\n", "", `vocab.txt: special token "[CLS]"`, nil},
		{"vocab.txt", "a\nb\n", `{"tokenizer_class":"BertJapaneseTokenizer"}`, `"BertJapaneseTokenizer" is not supported`, ErrUnsupported},
		{"vocab.txt", "a\n", `{`, "tokenizer_config.json: ", nil},
		{"sentencepiece.bpe.model", "\x0a\x05ab", "", "cut off", nil},
		{"sentencepiece.bpe.model", "\x12\x02\x18\x02", "", "type 2 is not supported", ErrUnsupported},
		{"sentencepiece.bpe.model", "", "", "0 tokens", nil},
		{"sentencepiece.bpe.model", "", `{"tokenizer_class":"CamembertTokenizer"}`, `"CamembertTokenizer" is not supported`, ErrUnsupported},
	} {
		files := fstest.MapFS{c.name: {Data: []byte(c.data)}}
		if c.config != "" {
			files["tokenizer_config.json"] = &fstest.MapFile{Data: []byte(c.config)}
		}
		_, err := Read(files)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s %q %s gives %v, want %s", c.name, c.data, c.config, err, c.want)
		}
	}
}

func FuzzReadSentencePiece(f *testing.F) {
	f.Add([]byte("\x0a\x08\x0a\x01a\x15\x00\x00\x80\xbf\x12\x02\x18\x01\x1a\x06\x12\x04\x00\x00\x00\x00"))
	f.Add([]byte(fmt.Sprintf("\x0a\x05\x0a\x03%s", metaspaceChar)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if tok, err := Read(fstest.MapFS{"sentencepiece.bpe.model": {Data: data}}); err == nil {
			tok.Encode("a ▁b \u0301", Options{Special: true, Offsets: true})
		}
	})
}

package token

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// modelTokenizer is the tokenizer.json of all-MiniLM-L6-v2.
func modelTokenizer(t testing.TB) []byte {
	t.Helper()
	return readCompressed(t, "minilm_tokenizer.json.gz")
}

// readCompressed reads a file of testdata.
func readCompressed(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
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
	return data
}

func mustParse(t testing.TB, data []byte) *Tokenizer {
	t.Helper()
	tok, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// spelling is a tokenizer.json whose vocabulary has every character, so that ids show what became of each. Its
// components are those of the changes.
func spelling(t testing.TB, changes map[string]any) []byte {
	t.Helper()
	vocab := map[string]int{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3}
	for r := rune(1); r < 0x20000; r++ {
		if utf8.ValidRune(r) {
			vocab[string(r)] = len(vocab)
			vocab["##"+string(r)] = len(vocab)
		}
	}
	file := map[string]any{
		"version": "1.0",
		"model": map[string]any{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
			"max_input_chars_per_word": 100, "vocab": vocab},
	}
	for key, value := range changes {
		file[key] = value
	}
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type object = map[string]any

func newAdded(content string, flags object) object {
	token := object{"id": 0, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
		"normalized": false, "special": true}
	for key, value := range flags {
		token[key] = value
	}
	return token
}

// variants are components in many combinations, each to be compared with the reference.
func variants() map[string]object {
	bert := func(clean, chinese bool, strip any, lower bool) object {
		return object{"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip, "lowercase": lower}
	}
	kind := func(name string) object { return object{"type": name} }
	sequence := func(key string, parts ...object) object { return object{"type": "Sequence", key: parts} }
	punctuation := func(behavior string) object { return object{"type": "Punctuation", "behavior": behavior} }
	pre := kind("BertPreTokenizer")
	return map[string]object{
		"uncased":              {"normalizer": bert(true, true, nil, true), "pre_tokenizer": pre},
		"cased":                {"normalizer": bert(true, true, nil, false), "pre_tokenizer": pre},
		"uncased with accents": {"normalizer": bert(true, true, false, true), "pre_tokenizer": pre},
		"cased, no accents":    {"normalizer": bert(true, true, true, false), "pre_tokenizer": pre},
		"not cleaned":          {"normalizer": bert(false, true, nil, true), "pre_tokenizer": pre},
		"no ideographs":        {"normalizer": bert(true, false, nil, true), "pre_tokenizer": pre},
		"nothing":              {},
		"NFC":                  {"normalizer": kind("NFC"), "pre_tokenizer": kind("Whitespace")},
		"NFD":                  {"normalizer": kind("NFD"), "pre_tokenizer": kind("WhitespaceSplit")},
		"NFKC":                 {"normalizer": kind("NFKC"), "pre_tokenizer": kind("Whitespace")},
		"NFKD, no accents":     {"normalizer": sequence("normalizers", kind("NFKD"), kind("StripAccents"), kind("Lowercase")), "pre_tokenizer": kind("WhitespaceSplit")},
		"edges": {"normalizer": sequence("normalizers", object{"type": "Strip", "strip_left": true, "strip_right": true},
			object{"type": "Prepend", "prepend": "é "}, object{"type": "Replace", "pattern": object{"String": "a"}, "content": "äö"}), "pre_tokenizer": kind("Whitespace")},
		"left edge":             {"normalizer": sequence("normalizers", object{"type": "Strip", "strip_left": true, "strip_right": false}, object{"type": "Replace", "pattern": object{"String": " "}, "content": "▁"})},
		"isolated":              {"pre_tokenizer": punctuation("Isolated")},
		"removed":               {"pre_tokenizer": punctuation("Removed")},
		"merged with previous":  {"pre_tokenizer": punctuation("MergedWithPrevious")},
		"merged with next":      {"pre_tokenizer": punctuation("MergedWithNext")},
		"contiguous":            {"pre_tokenizer": sequence("pretokenizers", kind("WhitespaceSplit"), punctuation("Contiguous"))},
		"delimiter":             {"pre_tokenizer": object{"type": "CharDelimiterSplit", "delimiter": "a"}},
		"split":                 {"pre_tokenizer": object{"type": "Split", "pattern": object{"String": " "}, "behavior": "MergedWithPrevious", "invert": false}},
		"BertProcessing":        {"normalizer": bert(true, true, nil, true), "pre_tokenizer": pre, "post_processor": object{"type": "BertProcessing", "sep": []any{"[SEP]", 2}, "cls": []any{"[CLS]", 1}}},
		"RobertaProcessing":     {"normalizer": bert(true, true, nil, true), "pre_tokenizer": pre, "post_processor": object{"type": "RobertaProcessing", "sep": []any{"[SEP]", 2}, "cls": []any{"[CLS]", 1}, "trim_offsets": true, "add_prefix_space": false}, "added_tokens": []object{newAdded("[MASK]", object{"lstrip": true, "rstrip": true})}},
		"Roberta, prefix space": {"pre_tokenizer": pre, "post_processor": object{"type": "RobertaProcessing", "sep": []any{"[SEP]", 2}, "cls": []any{"[CLS]", 1}, "trim_offsets": true, "add_prefix_space": true}, "added_tokens": []object{newAdded("[MASK]", object{"lstrip": true, "rstrip": true})}},
		"unknown, with space":   {"pre_tokenizer": object{"type": "FixedLength", "length": 3}, "post_processor": object{"type": "RobertaProcessing", "sep": []any{"[SEP]", 2}, "cls": []any{"[CLS]", 1}, "trim_offsets": true, "add_prefix_space": true}, "added_tokens": []object{newAdded("[UNK]", nil)}},
		"added tokens": {"normalizer": bert(true, true, nil, true), "pre_tokenizer": pre, "added_tokens": []object{
			newAdded("[MASK]", object{"lstrip": true}), newAdded("[SEP]", object{"rstrip": true}), newAdded("[CLS]", object{"single_word": true}),
			newAdded("[SEP][CLS]", nil), newAdded("Việt Nam", object{"normalized": true}), newAdded("U.S", object{"normalized": true, "single_word": true}),
			newAdded("\u00df", object{"normalized": true, "lstrip": true, "rstrip": true}), newAdded("[", object{"special": false}), newAdded("中", object{"normalized": true}),
			newAdded("e", object{"single_word": true})}},
	}
}

// TestDifferential compares with the `tokenizers` library: at least 100,000 strings, and every code point of Unicode.
func TestDifferential(t *testing.T) {
	t.Parallel()
	referencePython(t)
	t.Run("all-MiniLM-L6-v2", func(t *testing.T) {
		t.Parallel()
		compareMany(t, modelTokenizer(t))
	})
	for name, changes := range map[string]object{"uncased": variants()["uncased"], "Llama": moreVariants(t)["Llama"],
		"digits": moreVariants(t)["digits"], "precompiled": moreVariants(t)["precompiled"]} {
		t.Run("every character, "+name, func(t *testing.T) {
			t.Parallel()
			data := spelling(t, changes)
			tok := mustParse(t, data)
			ref := startReference(t, data)
			for _, texts := range everyCharacter() {
				ref.compare(t, tok, request{Texts: asTexts(texts)})
			}
		})
	}
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		ref := startReference(t, spelling(t, variants()["uncased"]))
		tok := mustParse(t, spelling(t, variants()["uncased with accents"]))
		texts := newNasty(3, tok).texts(300)
		differ := 0
		for i, want := range ref.encode(t, request{Texts: asTexts(texts)}) {
			if !equalEncodings(tok.Encode(texts[i], Options{Offsets: true}), want) {
				differ++
			}
		}
		if differ == 0 {
			t.Error("another normalizer was not noticed")
		}
	})
	cases := variants()
	maps.Copy(cases, moreVariants(t))
	for name, changes := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := spelling(t, changes)
			tok := mustParse(t, data)
			ref := startReference(t, data)
			n := newNasty(2, tok)
			for range 6 {
				ref.compare(t, tok, request{Texts: asTexts(n.texts(500)), Special: true})
				ref.compare(t, tok, request{Texts: asTexts(n.texts(200)), MaxTokens: 1 + n.random.IntN(40), Left: n.random.IntN(2) == 0})
				ref.compare(t, tok, request{Texts: pairs(n, 100), Special: true, MaxTokens: 4 + n.random.IntN(40)})
			}
			ref.compare(t, tok, request{Texts: pairs(n, 100)})
		})
	}
}

// compareLimits compares giants, whole and cut.
func compareLimits(t *testing.T, tok *Tokenizer, ref *reference) {
	t.Helper()
	for _, text := range giants() {
		for _, left := range []bool{false, true} {
			ref.compare(t, tok, request{Texts: asTexts([]string{text}), Special: true, MaxTokens: 128, Left: left})
		}
		// The reference keeps what it cuts, every combination of a pair's: two long texts would fill its memory.
		ref.compare(t, tok, request{Texts: []any{[2]string{text, "a b c"}}, Special: true, MaxTokens: 128})
		if len(text) <= 1<<17 {
			ref.compare(t, tok, request{Texts: asTexts([]string{text}), Special: true})
		}
	}
}

func pairs(n *nasty, count int) []any {
	list := make([]any, count)
	for i := range list {
		list[i] = [2]string{n.text(), n.text()}
	}
	return list
}

// everyCharacter has every code point once in a word and once alone, in lists of texts.
func everyCharacter() (lists [][]string) {
	var texts []string
	var text strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		fmt.Fprintf(&text, "x%cY %c ", r, r)
		if r%32 == 31 {
			texts = append(texts, text.String())
			text.Reset()
		}
		if len(texts) == 1000 || r == unicode.MaxRune {
			lists, texts = append(lists, texts), nil
		}
	}
	return lists
}

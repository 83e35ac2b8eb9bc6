package token

import (
	"encoding/json"
	"testing"
)

const (
	qwenPattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	llamaPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	gpt2Pattern  = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
)

// moreVariants are the components of byte-level and SentencePiece tokenizers in many combinations.
func moreVariants(t testing.TB) map[string]object {
	kind := func(name string) object { return object{"type": name} }
	split := func(pattern, behavior string, invert bool) object {
		return object{"type": "Split", "pattern": object{"Regex": pattern}, "behavior": behavior, "invert": invert}
	}
	byteLevel := func(prefix, regex bool) object {
		return object{"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": true, "use_regex": regex}
	}
	meta := func(scheme string, split bool) object {
		return object{"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
	}
	sequence := func(parts ...object) object { return object{"type": "Sequence", "pretokenizers": parts} }
	precompiled := object{"type": "Precompiled", "precompiled_charsmap": charsmap(t)}
	return map[string]object{
		"GPT-2":                 {"pre_tokenizer": byteLevel(false, true), "post_processor": byteLevel(false, true)},
		"GPT-2, prefix":         {"pre_tokenizer": byteLevel(true, true), "post_processor": byteLevel(true, true), "added_tokens": []object{newAdded("[MASK]", object{"lstrip": true})}},
		"GPT-2, no regex":       {"pre_tokenizer": sequence(kind("Whitespace"), byteLevel(true, false)), "post_processor": byteLevel(true, true)},
		"GPT-2, Split":          {"pre_tokenizer": split(gpt2Pattern, "Isolated", false)},
		"Qwen":                  {"normalizer": kind("NFC"), "pre_tokenizer": split(qwenPattern, "Isolated", false)},
		"Llama":                 {"pre_tokenizer": split(llamaPattern, "Removed", true)},
		"digits":                {"pre_tokenizer": object{"type": "Digits", "individual_digits": true}},
		"groups of digits":      {"pre_tokenizer": sequence(object{"type": "Digits", "individual_digits": false}, byteLevel(false, true))},
		"fixed length":          {"pre_tokenizer": object{"type": "FixedLength", "length": 3}},
		"meta always":           {"pre_tokenizer": meta("always", true), "added_tokens": []object{newAdded("[MASK]", nil), newAdded("e", object{"normalized": true})}},
		"meta first":            {"pre_tokenizer": meta("first", true), "added_tokens": []object{newAdded("[MASK]", object{"lstrip": true}), newAdded("e", object{"normalized": true})}},
		"meta never":            {"pre_tokenizer": meta("never", true)},
		"meta whole":            {"pre_tokenizer": meta("first", false), "normalizer": object{"type": "Strip", "strip_left": true, "strip_right": false}},
		"meta words":            {"normalizer": precompiled, "pre_tokenizer": sequence(kind("WhitespaceSplit"), meta("first", true))},
		"nmt":                   {"normalizer": kind("Nmt")},
		"byte-level normalizer": {"normalizer": kind("ByteLevel"), "pre_tokenizer": kind("Whitespace")},
		"precompiled":           {"normalizer": precompiled},
		"precompiled, lower":    {"normalizer": object{"type": "Sequence", "normalizers": []object{precompiled, kind("Lowercase"), kind("StripAccents")}}, "pre_tokenizer": kind("Whitespace")},
		"spaces":                {"normalizer": object{"type": "Sequence", "normalizers": []object{precompiled, {"type": "Strip", "strip_left": false, "strip_right": true}, {"type": "Replace", "pattern": object{"Regex": " {2,}"}, "content": "▁▁"}}}, "pre_tokenizer": meta("always", true)},
		"quotes":                {"normalizer": object{"type": "Replace", "pattern": object{"Regex": "(?:``|''|e\\s+[a-n\\s]+?)"}, "content": "\""}, "pre_tokenizer": object{"type": "Split", "pattern": object{"Regex": `[\s,.]{1,2}|\S\-`}, "behavior": "MergedWithPrevious", "invert": false}},
		"BPE":                   {"model": bpeModel(nil), "pre_tokenizer": kind("WhitespaceSplit")},
		"BPE, unknown":          {"model": bpeModel(object{"unk_token": "<unk>"}), "pre_tokenizer": kind("WhitespaceSplit")},
		"BPE, fused":            {"model": bpeModel(object{"unk_token": "<unk>", "fuse_unk": true})},
		"BPE, affixes":          {"model": bpeModel(object{"unk_token": "<unk>", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"}), "pre_tokenizer": kind("WhitespaceSplit")},
		"BPE, some bytes":       {"model": bpeModel(object{"unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true})},
		"BPE, whole words":      {"model": bpeModel(object{"unk_token": "<unk>", "ignore_merges": true}), "pre_tokenizer": kind("WhitespaceSplit")},
		"BPE, few bytes":        {"model": bpeModel(nil), "pre_tokenizer": byteLevel(false, true), "post_processor": byteLevel(false, true)},
		"Unigram":               {"model": unigramModel(false), "pre_tokenizer": meta("always", true)},
		"Unigram, some bytes":   {"model": unigramModel(true), "pre_tokenizer": meta("always", false)},
	}
}

// charsmap is SentencePiece's nmt_nfkc map.
func charsmap(t testing.TB) string {
	var file struct {
		Normalizer struct {
			Charsmap string `json:"precompiled_charsmap"`
		} `json:"normalizer"`
	}
	if err := json.Unmarshal(readFamily(t, "xlm_roberta").Tokenizer, &file); err != nil {
		t.Fatal(err)
	}
	return file.Normalizer.Charsmap
}

// bpeModel knows a few letters, words of them that cannot all be reached by merging, and some bytes.
func bpeModel(changes object) object {
	vocab := map[string]int{"<unk>": 0}
	add := func(token string) {
		if _, ok := vocab[token]; !ok {
			vocab[token] = len(vocab)
		}
	}
	prefix, _ := changes["continuing_subword_prefix"].(string)
	suffix, _ := changes["end_of_word_suffix"].(string)
	for _, letter := range []string{"a", "e", "n", "o", "t", "é", "中", "Ġ", "Ã"} {
		for _, token := range []string{letter, prefix + letter, letter + suffix, prefix + letter + suffix} {
			add(token)
		}
	}
	var merges [][2]string
	for _, m := range [][2]string{{"t", "e"}, {"a", "n"}, {"n", "e"}, {"e", "n"}, {"te", "n"}, {"o", "t"}, {"an", "o"}, {"é", "中"},
		{"a", "a"}, {"aa", "aa"}, {"aa", "a"}, {"e", "e"}, {"Ġ", "a"}, {"Ġa", "n"}, {"n", "n" + suffix}, {"an", "a" + suffix}} {
		add(m[0] + m[1])
		add(prefix + m[0] + m[1])
		merges = append(merges, [2]string{m[0], prefix + m[1]})
	}
	for _, token := range []string{"anten", "note", "<0xC3>", "<0xB6>", "<0xE2>", "<0x96>", "<0x81>", "<0x20>", "<0x2E>", "neo"} {
		add(token)
	}
	model := object{"type": "BPE", "vocab": vocab, "merges": merges}
	for key, value := range changes {
		model[key] = value
	}
	return model
}

// unigramModel knows a few words, of which some have the same score as their parts together, and some bytes.
func unigramModel(byteFallback bool) object {
	vocab := [][]any{{"<unk>", 0}, {"▁", -2}, {"a", -3}, {"e", -3.5}, {"n", -3.25}, {"t", -4}, {"an", -6.25}, {"▁a", -5}, {"ten", -7.5},
		{"ne", -6.75}, {"te", -7.5}, {"▁the", -4.125}, {"é", -8}, {"中", -8}, {"ee", -6.5}, {"eee", -10}, {"<0xC3>", -20}, {"<0xB6>", -20},
		{"<0xE2>", -20}, {"<0x96>", -20}, {"<0x2E>", -20}, {"o", -9}, {"ooo", -31}, {"a", -3.125}}
	return object{"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": byteFallback}
}

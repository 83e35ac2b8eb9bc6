package token

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nasty makes strings that tokenizers have stumbled over, from a seed.
type nasty struct {
	random *rand.Rand
	words  []string // of the vocabulary
}

func newNasty(seed uint64, tok *Tokenizer) *nasty {
	n := &nasty{random: rand.New(rand.NewPCG(seed, 1))}
	for _, token := range tok.model.vocabulary().tokens {
		if bytes, ok := byteLevelBytes(nil, token); ok && utf8.Valid(bytes) {
			token = string(bytes)
		}
		token = strings.ReplaceAll(strings.TrimPrefix(token, "##"), "▁", " ")
		if token != "" && utf8.ValidString(token) {
			n.words = append(n.words, token)
		}
	}
	return n
}

// runes to draw from: whole scripts and the places where Unicode is delicate.
var nastyRanges = [][2]rune{
	{' ', '~'}, {' ', '~'}, {' ', '~'}, {'a', 'z'}, {'a', 'z'}, {'A', 'Z'}, {0, 0x1f}, {0x7f, 0x9f}, {0xa0, 0xff},
	{0x100, 0x24f}, {0x250, 0x2af}, {0x2b0, 0x2ff}, {0x300, 0x36f}, {0x300, 0x36f}, {0x370, 0x3ff}, {0x400, 0x52f},
	{0x590, 0x5ff}, {0x600, 0x6ff}, {0x8d0, 0x8ff}, {0x900, 0xd7f}, {0xe00, 0xeff}, {0xf00, 0xfff}, {0x1100, 0x11ff},
	{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x1e00, 0x1fff}, {0x2000, 0x206f}, {0x20d0, 0x20ff}, {0x2100, 0x2bff},
	{0x3000, 0x303f}, {0x3040, 0x30ff}, {0x3200, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0x4e00, 0x9fff},
	{0xac00, 0xd7a3}, {0xe000, 0xf8ff}, {0xf900, 0xfaff}, {0xfb00, 0xfdff}, {0xfe00, 0xfe2f}, {0xff00, 0xffff},
	{0x10000, 0x10fff}, {0x11000, 0x11fff}, {0x16fe0, 0x16fff}, {0x1d100, 0x1d1ff}, {0x1d400, 0x1d7ff},
	{0x1e000, 0x1e2ff}, {0x1e900, 0x1e95f}, {0x1f000, 0x1faff}, {0x20000, 0x2fa1f}, {0xe0000, 0xe01ff}, {0, unicode.MaxRune},
}

// snippets that are drawn whole.
var nastySnippets = []string{
	"[CLS]", "[SEP]", "[UNK]", "[MASK]", "[PAD]", "<mask>", "<s>", "</s>", "[cls]", "[ MASK ]", "[[MASK]]", "##", "##ing",
	"\u0130", "\u00df", "\u1e9e", "\u03c3\u03c2", "e\u0301", "\u0344\u0323", "\u1e69", "s\u0323\u0307", "s\u0307\u0323",
	"\U0001d15e\u0334", "\u0301\U0001d165", "\u0301\x01\U0001d165\u0327", "\u302e\u0323", "\u08d4\u0323\u0301", "\u0f73\u0f71",
	"\u1112\u1161\u11ab", "\ud55c\uae00", "\uac00\u11a8", "\ufb01", "\u2126", "\u212b", "\uf900\u0301", "\u4e2d\u0301\U0001d165",
	"\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f1e9\U0001f1ea", "\x00", "\ufffd",
	"\ufeff", "\u00ad", "\u200b", "\u2028", "\u0085", "\u3000", "\t", "\r\n", "\n\n", "   ", "don't", "U.S.A.", "1,000.5", "x²",
	"'s", "'S", "'\u017f", "'LL", "'Ve", "'r", "\r\n\r\n", " \n \n x", "\t\tx", "1234567", "\u00bd\u0663", "<0x41>", "\u2581", "  ", "x\u2581y",
	"\u00a9\u200d\u2122\u0301", "\u263a\u200d\u00ae", "\u0915\u094d\u0958\u0301", "\u0600\ufb01", "\uff76\uff9e", "\u2122\u0301", "\u3304", "\ufdfa",
	"naïve", "Ångström", "Việt Nam", "Москва", "ελληνικά", "שָׁלוֹם", "السَّلَامُ", "हिन्दी", "ภาษาไทย", "日本語", "ｆｕｌｌ", "한국어",
}

// text makes one string.
func (n *nasty) text() string {
	var b strings.Builder
	for range 1 + n.random.IntN(1+n.random.IntN(24)) {
		switch n.random.IntN(8) {
		case 0, 1:
			b.WriteString(n.words[n.random.IntN(len(n.words))])
		case 2:
			b.WriteString(nastySnippets[n.random.IntN(len(nastySnippets))])
		case 3:
			b.WriteString(strings.ToUpper(n.words[n.random.IntN(len(n.words))]))
		default:
			n.script(&b)
		}
		if n.random.IntN(3) > 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// script writes a few characters, mostly of one range, some with marks.
func (n *nasty) script(b *strings.Builder) {
	r := nastyRanges[n.random.IntN(len(nastyRanges))]
	for range 1 + n.random.IntN(6) {
		b.WriteRune(n.rune(r))
		if n.random.IntN(4) == 0 {
			b.WriteRune(n.rune(nastyRanges[n.random.IntN(len(nastyRanges))]))
		}
	}
}

// rune draws a character; surrogates come out as the U+FFFD that JSON decoders make of them.
func (n *nasty) rune(r [2]rune) rune {
	c := r[0] + n.random.Int32N(r[1]-r[0]+1)
	if !utf8.ValidRune(c) {
		return utf8.RuneError
	}
	return c
}

func (n *nasty) texts(count int) []string {
	texts := make([]string, count)
	for i := range texts {
		texts[i] = n.text()
	}
	return texts
}

// giants are strings of sizes that hurt: words of a mebibyte, and texts of many tokens.
func giants() []string {
	fill := func(s string, size int) string { return strings.Repeat(s, size/len(s)) }
	texts := []string{
		"", fill("a", 99), fill("a", 100), fill("a", 101), fill("é", 200), fill("é", 202), fill("a\u0301", 300),
	}
	for _, word := range []string{"a", "é", "e\u0301", "\u0301", "한", "\U0001d165\u0301", " ", "\x00"} {
		texts = append(texts, fill(word, 1<<20))
	}
	for _, text := range []string{"ab ", "中", "!", "[MASK]", "The quick brown fox. "} {
		texts = append(texts, fill(text, 1<<17))
	}
	return texts
}

package token

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func tinyBert(t testing.TB) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile("testdata/tiny_bert.json")
	if err != nil {
		t.Fatal(err)
	}
	return mustParse(t, data)
}

func TestEncodeMatchesTransformers(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	var cases []struct {
		Text   string
		IDs    []int32
		Tokens int
	}
	if err := json.Unmarshal(readCompressed(t, "minilm_texts64.json.gz"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 64 {
		t.Fatalf("%d texts, want 64", len(cases))
	}
	for _, c := range cases {
		cut := tok.Encode(c.Text, Options{Special: true, MaxTokens: 256})
		if !slices.Equal(cut.IDs, c.IDs) || cut.Truncated != (c.Tokens > 256) {
			t.Errorf("%.60q: ids %v, truncated %v\nwant %v", c.Text, cut.IDs, cut.Truncated, c.IDs)
		}
		if whole := tok.Encode(c.Text, Options{Special: true}); len(whole.IDs) != c.Tokens || whole.Truncated {
			t.Errorf("%.60q: %d tokens, want %d", c.Text, len(whole.IDs), c.Tokens)
		}
	}
}

func TestEncodeOffsetsAreBytes(t *testing.T) {
	t.Parallel()
	const text = "Café: 中国 [MASK]!"
	e := mustParse(t, modelTokenizer(t)).Encode(text, Options{Special: true, Offsets: true})
	var got []string
	for _, s := range e.Offsets {
		got = append(got, text[s.Start:s.End])
	}
	if want := []string{"", "Café", ":", "中", "国", "[MASK]", "!", ""}; !slices.Equal(got, want) {
		t.Errorf("tokens stand at %q, want %q", got, want)
	}
	if !e.Special[0] || e.Special[5] || e.IDs[5] != 103 {
		t.Errorf("a special token written in the text is special, or not one: %+v", e)
	}
}

func TestEncodePairShares(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	words := func(n int) string { return strings.Repeat("a ", n) }
	for _, c := range []struct{ a, b, limit, first, second int }{
		{3, 4, 10, 3, 4}, {3, 40, 10, 3, 4}, {40, 3, 10, 4, 3}, {40, 41, 10, 3, 4}, {41, 40, 10, 4, 3}, {40, 40, 10, 3, 4},
		{5000, 5001, 8, 2, 3}, {5001, 5000, 8, 3, 2}, {40, 40, 3, 0, 0}, {40, 40, 1, 0, 0}, {0, 9, 8, 0, 5},
	} {
		e := tok.EncodePair(words(c.a), words(c.b), Options{Special: true, MaxTokens: c.limit})
		count := map[uint8]int{}
		for i, kind := range e.Types {
			if !e.Special[i] {
				count[kind]++
			}
		}
		if count[0] != c.first || count[1] != c.second || e.Truncated != (c.first < c.a || c.second < c.b) {
			t.Errorf("%+v: %d and %d tokens, truncated %v", c, count[0], count[1], e.Truncated)
		}
	}
}

func TestInvalidUTF8CountsAsReplacement(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	for _, text := range []string{"a\xffb", "\xe4\xb8", "x\xed\xa0\x80y", strings.Repeat("\xf0", 3000), "\xff[MASK]\xfe"} {
		var valid strings.Builder
		for _, r := range text {
			valid.WriteRune(r)
		}
		got, want := tok.Encode(text, Options{Offsets: true}), tok.Encode(valid.String(), Options{})
		if !slices.Equal(got.IDs, want.IDs) {
			t.Errorf("%.20q gives %v, with U+FFFD %v", text, got.IDs, want.IDs)
		}
	}
	// A lone surrogate that arrives through JSON is a U+FFFD already.
	var text string
	if err := json.Unmarshal([]byte(`"a \ud83d b"`), &text); err != nil {
		t.Fatal(err)
	}
	if got, want := tok.Encode(text, Options{}).IDs, tok.Encode("a \ufffd b", Options{}).IDs; !slices.Equal(got, want) {
		t.Errorf("a lone surrogate gives %v, want %v", got, want)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	ids := tok.Encode("Don't photosynthesize, please.", Options{Special: true}).IDs
	if got, want := tok.Decode(ids, true), "don ' t photosynthesize, please."; got != want {
		t.Errorf("decoded %q, want %q", got, want)
	}
	if got, want := tok.Decode(append(ids, -1, 1<<30), false), "[CLS] don ' t photosynthesize, please. [SEP]"; got != want {
		t.Errorf("decoded %q, want %q", got, want)
	}
}

func TestVocabulary(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	if n := tok.VocabSize(); n != 30522 {
		t.Errorf("vocabulary of %d", n)
	}
	for id := range int32(30522) {
		token, ok := tok.Token(id)
		if back, known := tok.ID(token); !ok || !known || back != id {
			t.Fatalf("id %d is token %q (%v), which is id %d (%v)", id, token, ok, back, known)
		}
	}
	if _, ok := tok.Token(30522); ok {
		t.Error("there is a token 30522")
	}
	if _, ok := tok.ID("photosynthesis"); ok {
		t.Error("photosynthesis is one token")
	}
	if limit, left := tok.Truncation(); limit != 128 || left {
		t.Errorf("truncation of %d, left %v", limit, left)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	tok := tinyBert(t)
	n := newNasty(3, tok)
	texts := n.texts(50)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, text := range texts {
				want := tok.Encode(text, Options{Special: true}).IDs
				if ids, _ := tok.AppendIDs(nil, text, Options{Special: true}); !slices.Equal(ids, want) {
					t.Errorf("%q: %v and %v", text, ids, want)
				}
			}
		})
	}
	group.Wait()
}

// A limit changes neither the tokens kept nor, by much, what is read.
func TestLimitKeepsThePrefix(t *testing.T) {
	t.Parallel()
	tok := mustParse(t, modelTokenizer(t))
	n := newNasty(4, tok)
	for range 300 {
		text := n.text() + strings.Repeat(n.text(), n.random.IntN(40))
		whole := tok.Encode(text, Options{Offsets: true})
		limit := 1 + n.random.IntN(60)
		first := tok.Encode(text, Options{MaxTokens: limit, Offsets: true})
		last := tok.Encode(text, Options{MaxTokens: limit, TruncateLeft: true, Offsets: true})
		kept := min(limit, len(whole.IDs))
		if !slices.Equal(first.IDs, whole.IDs[:kept]) || !slices.Equal(first.Offsets, whole.Offsets[:kept]) {
			t.Errorf("%q: the first %d tokens differ", text, limit)
		}
		from := len(whole.IDs) - kept
		if !slices.Equal(last.IDs, whole.IDs[from:]) || !slices.Equal(last.Offsets, whole.Offsets[from:]) {
			t.Errorf("%q: the last %d tokens differ", text, limit)
		}
		if cut := kept < len(whole.IDs); first.Truncated != cut || last.Truncated != cut {
			t.Errorf("%q: truncated %v and %v, want %v", text, first.Truncated, last.Truncated, cut)
		}
	}
}

// The race detector empties pools at random, so the scratch is the test's own.
func TestTokenizingDoesNotAllocate(t *testing.T) {
	tokenizers := map[string][]byte{"minilm": modelTokenizer(t)}
	for _, name := range families {
		tokenizers[name] = readFamily(t, name).Tokenizer
	}
	text := strings.Repeat("The quick brown fox jumps, naïvely, over 中国.\n", 8)
	for name, data := range tokenizers {
		tok := mustParse(t, data)
		s := new(scratch)
		tok.tokenize(s, text, Options{Special: true})
		if n := testing.AllocsPerRun(100, func() { tok.tokenize(s, text, Options{Special: true}) }); n > 0 {
			t.Errorf("%s: %v allocations a text", name, n)
		}
	}
}

// A mebibyte of one word is read whole by BPE and Unigram: what is not done in time n log n would not end here.
func TestGiantWordsEnd(t *testing.T) {
	t.Parallel()
	for _, name := range families {
		tok := mustParse(t, readFamily(t, name).Tokenizer)
		for word, size := range map[string]int{"a": 1 << 20, "\u0301": 1 << 17, " ": 1 << 17} {
			e := tok.Encode(strings.Repeat(word, size/len(word)), Options{Offsets: true})
			if n := len(e.Offsets); n > 0 && e.Offsets[n-1].End != size && word != " " {
				t.Errorf("%s: the last token of %q… ends at byte %d of %d", name, word, e.Offsets[n-1].End, size)
			}
		}
	}
}

func FuzzEncode(f *testing.F) {
	n := newNasty(5, tinyBert(f))
	for range 50 {
		f.Add(n.text(), 10, true)
	}
	f.Add("\xff\xfe[MASK]\xf0\x9f", 1, false)
	toks := []*Tokenizer{mustParse(f, modelTokenizer(f))}
	for _, name := range families {
		toks = append(toks, mustParse(f, readFamily(f, name).Tokenizer))
	}
	f.Fuzz(func(t *testing.T, text string, limit int, left bool) {
		tok := toks[len(text)%len(toks)]
		o := Options{Special: true, MaxTokens: max(limit, 0) % 1000, TruncateLeft: left, Offsets: true}
		e := tok.Encode(text, o)
		for i, s := range e.Offsets {
			if s.Start < 0 || s.End < s.Start || s.End > len(text) || !e.Special[i] && s.Start == s.End && tok == toks[0] {
				t.Errorf("token %d of %q stands at %+v", i, text, s)
			}
		}
		if o.MaxTokens > 2 && len(e.IDs) > o.MaxTokens {
			t.Errorf("%d tokens of %q, the limit is %d", len(e.IDs), text, o.MaxTokens)
		}
		if decoded := tok.Decode(e.IDs, true); !utf8.ValidString(decoded) {
			t.Errorf("decoded %q", decoded)
		}
	})
}

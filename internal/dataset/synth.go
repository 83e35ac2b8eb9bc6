package dataset

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// lengthQuantiles is the distribution of MS MARCO passages' lengths in WordPiece tokens, special tokens included:
// between two quantiles it is taken as uniform. The ends are a sample's shortest and longest passages, rounded.
var lengthQuantiles = []struct{ probability, tokens float64 }{
	{0, 14}, {0.05, 40}, {0.25, 54}, {0.50, 64}, {0.75, 91}, {0.90, 115}, {0.95, 127}, {0.99, 153}, {1, 210},
}

// specials is how many tokens a BERT tokenizer puts around a text.
const specials = 2

// Synth makes count texts of English words whose lengths in tokens are distributed as those of MS MARCO passages (for
// BERT's uncased WordPiece vocabulary, special tokens included).
func Synth(seed uint64, count int) Set {
	g := newGenerator(seed)
	return g.set(fmt.Sprintf("synth seed=%d count=%d", seed, count), count, func() string {
		return g.text(g.length() - specials)
	})
}

// SynthTokens makes count texts of exactly tokens tokens each (for BERT's uncased WordPiece vocabulary, special tokens
// included). Below three tokens a text is empty.
func SynthTokens(seed uint64, count, tokens int) Set {
	g := newGenerator(seed)
	return g.set(fmt.Sprintf("synth seed=%d count=%d tokens=%d", seed, count, tokens), count, func() string {
		return g.text(tokens - specials)
	})
}

// SynthChars makes count texts of exactly chars characters each.
func SynthChars(seed uint64, count, chars int) Set {
	g := newGenerator(seed)
	return g.set(fmt.Sprintf("synth seed=%d count=%d chars=%d", seed, count, chars), count, func() string {
		return g.characters(chars)
	})
}

// A generator writes sentences by a small grammar: a walk over parts of speech.
type generator struct {
	random  *rand.Rand
	out     strings.Builder
	article bool // the last word is the article a
}

func newGenerator(seed uint64) *generator {
	return &generator{random: rand.New(rand.NewPCG(seed, 0x7061636c696e65))}
}

func (g *generator) set(source string, count int, text func() string) Set {
	texts := make([]string, max(count, 0))
	for i := range texts {
		texts[i] = text()
	}
	return newSet(source, texts)
}

// length draws a number of tokens from lengthQuantiles.
func (g *generator) length() int {
	p := g.random.Float64()
	for i := 1; ; i++ {
		low, high := lengthQuantiles[i-1], lengthQuantiles[i]
		if p < high.probability || i == len(lengthQuantiles)-1 {
			share := (p - low.probability) / (high.probability - low.probability)
			return int(low.tokens + share*(high.tokens-low.tokens) + 0.5)
		}
	}
}

// text is sentences of exactly tokens tokens together, special tokens not counted.
func (g *generator) text(tokens int) string {
	g.out.Reset()
	for tokens > 0 {
		length := 8 + g.random.IntN(18)
		if tokens-length < 6 {
			length = tokens // the last sentence takes the rest
		}
		g.sentence(length)
		tokens -= length
	}
	return g.out.String()
}

// characters is sentences cut after exactly chars characters, never ending in a space.
func (g *generator) characters(chars int) string {
	g.out.Reset()
	for g.out.Len() < chars { // the words are ASCII: bytes are characters
		g.sentence(8 + g.random.IntN(18))
	}
	text := g.out.String()[:max(chars, 0)]
	if strings.HasSuffix(text, " ") {
		text = text[:len(text)-1] + "."
	}
	return text
}

// sentence writes words and a full stop, tokens tokens in all.
func (g *generator) sentence(tokens int) {
	p := determiner
	for i := 0; tokens > 1; i++ {
		if tokens == 2 {
			p = noun // what a sentence ends with
		}
		w := g.word(p, tokens-1)
		g.write(w.text, i == 0)
		tokens -= w.tokens
		p = g.next(p)
	}
	g.out.WriteByte('.')
}

// write adds a word, after a space where one stands before.
func (g *generator) write(text string, capital bool) {
	if g.out.Len() > 0 {
		if strings.ContainsRune("aeio", rune(text[0])) && g.article {
			g.out.WriteByte('n')
		}
		g.out.WriteByte(' ')
	}
	g.article = text == "a"
	if capital {
		g.out.WriteString(strings.ToUpper(text[:1])) // the words are ASCII
		text = text[1:]
	}
	g.out.WriteString(text)
}

// word draws a word of at most tokens tokens.
func (g *generator) word(p part, tokens int) word {
	words := vocabulary[p]
	for {
		if w := words[g.random.IntN(len(words))]; w.tokens <= tokens {
			return w
		}
	}
}

// A follower is a part of speech that may come next, and how often it does in 100.
type follower struct {
	part    part
	percent int
}

var followers = [parts][]follower{
	determiner:  {{noun, 55}, {adjective, 45}},
	adjective:   {{noun, 90}, {adjective, 10}},
	noun:        {{verb, 36}, {preposition, 34}, {noun, 12}, {conjunction, 18}},
	verb:        {{determiner, 50}, {adjective, 16}, {preposition, 12}, {adverb, 12}, {number, 10}},
	adverb:      {{determiner, 60}, {adjective, 40}},
	preposition: {{determiner, 60}, {noun, 22}, {adjective, 12}, {number, 6}},
	conjunction: {{determiner, 75}, {noun, 25}},
	number:      {{noun, 80}, {adjective, 20}},
}

// next draws the part of speech after p.
func (g *generator) next(p part) part {
	roll := g.random.IntN(100)
	for _, f := range followers[p] {
		if roll -= f.percent; roll < 0 {
			return f.part
		}
	}
	return noun
}

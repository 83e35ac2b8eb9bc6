package dataset

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed words.txt
var wordsFile string

// A part is a part of speech of the generator's grammar.
type part int

const (
	determiner part = iota
	adjective
	noun
	verb
	adverb
	preposition
	conjunction
	number
	parts
)

var partNames = map[string]part{
	"determiner": determiner, "adjective": adjective, "noun": noun, "verb": verb, "adverb": adverb,
	"preposition": preposition, "conjunction": conjunction, "number": number,
}

// A word knows its length in tokens, so that a text can be made of a given length without a tokenizer.
type word struct {
	text   string
	tokens int
}

// vocabulary lists the words of each part of speech.
var vocabulary = mustReadWords(wordsFile)

func mustReadWords(file string) (words [parts][]word) {
	for line := range strings.Lines(file) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		name, count, counted := strings.Cut(fields[0], "/")
		p, known := partNames[name]
		tokens := 1
		if counted {
			tokens, _ = strconv.Atoi(count)
		}
		if !known || tokens < 1 {
			panic(fmt.Sprintf("words.txt: no such part of speech: %q", fields[0]))
		}
		for _, text := range fields[1:] {
			words[p] = append(words[p], word{text, tokens})
		}
	}
	return words
}

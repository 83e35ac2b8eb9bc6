package token

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// metaspaceFile is what Metaspace has in tokenizer.json, as pre-tokenizer and as decoder.
type metaspaceFile struct {
	Replacement    string `json:"replacement"`
	PrependScheme  string `json:"prepend_scheme"`   // "always", "first" or "never"
	AddPrefixSpace *bool  `json:"add_prefix_space"` // the older spelling: true is "always", false is "never"
	Split          *bool  `json:"split"`
}

// scheme is the file's prepend_scheme in one spelling.
func (f metaspaceFile) scheme() (string, error) {
	if utf8.RuneCountInString(f.Replacement) != 1 {
		return "", fmt.Errorf("replacement %q is not one character", f.Replacement)
	}
	scheme := f.PrependScheme
	if f.AddPrefixSpace != nil && !*f.AddPrefixSpace {
		if scheme != "" && scheme != "never" {
			return "", fmt.Errorf("add_prefix_space is false, but prepend_scheme is %q", scheme)
		}
		return "never", nil
	}
	switch scheme {
	case "":
		return "always", nil
	case "always", "first", "never":
		return scheme, nil
	}
	return "", unsupported("prepend_scheme", scheme, "always", "first", "never")
}

// metaspace writes spaces as a character of its own (SentencePiece's ▁) and makes words begin with it.
type metaspace struct {
	replacement string
	scheme      string
}

// newMetaspace is the pre-tokenizer Metaspace: its steps.
func newMetaspace(file metaspaceFile) (splitters, error) {
	scheme, err := file.scheme()
	steps := splitters{metaspace{file.Replacement, scheme}}
	if file.Split == nil || *file.Split {
		steps = append(steps, patternSplitter{pattern{literal: []byte(file.Replacement)}, mergedWithNext, true})
	}
	return steps, err
}

// It splits nothing.
func (metaspace) local() bool { return false }

func (m metaspace) split(p *piece) {
	p.rewriteWords(func(w word) {
		if m.prefixes(p, w) {
			p.putString(m.replacement, w.start)
		}
		start := w.start
		for i := w.start; i < w.end; i++ {
			if p.text[i] == ' ' {
				p.copy(start, i)
				p.putString(m.replacement, i)
				start = i + 1
			}
		}
		p.copy(start, w.end)
	})
}

// prefixes tells whether the replacement is put before a word.
func (m metaspace) prefixes(p *piece, w word) bool {
	if m.scheme == "never" || m.scheme == "first" && p.from[w.start] > 0 {
		return false
	}
	return p.text[w.start] != ' ' && !strings.HasPrefix(string(p.text[w.start:min(w.end, w.start+utf8.UTFMax)]), m.replacement)
}

// metaspaceDecoder turns the replacement back into spaces; those at the beginning were not in the text.
type metaspaceDecoder struct {
	replacement string
	prefixed    bool
}

func newMetaspaceDecoder(file decoderFile) (decoder, error) {
	scheme, err := file.scheme()
	return metaspaceDecoder{file.Replacement, scheme != "never"}, err
}

func (d metaspaceDecoder) decode(tokens []string) []string {
	return eachToken(tokens, func(i int, token string) string {
		space := " "
		if i == 0 && d.prefixed {
			space = ""
		}
		return strings.ReplaceAll(token, d.replacement, space)
	})
}

package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// A pattern finds what is replaced, or split at: a plain string or a regular expression.
type pattern struct {
	literal []byte
	regex   *regexp.Regexp // nil: the literal is looked for
	source  string         // of the regular expression
}

// readPattern reads a pattern. A regular expression that is neither one of tilePatterns nor portable is an error.
func readPattern(raw json.RawMessage) (pattern, error) {
	var file struct{ String, Regex string }
	if err := json.Unmarshal(raw, &file); err != nil {
		return pattern{}, err
	}
	if (file.String == "") == (file.Regex == "") {
		return pattern{}, errors.New("a pattern must be a String or a Regex of at least one character")
	}
	if file.Regex == "" {
		return pattern{literal: []byte(file.String)}, nil
	}
	if _, isTile := tilePatterns[file.Regex]; isTile {
		return pattern{source: file.Regex}, nil
	}
	regex, err := portable(file.Regex)
	return pattern{regex: regex, source: file.Regex}, err
}

// isTile tells whether the pattern is one of tilePatterns, which only a splitter can follow.
func (p pattern) isTile() bool { return p.regex == nil && p.literal == nil }

// find is the first match in a text, or the text's end twice.
func (p pattern) find(text []byte) (start, end int) {
	if p.regex != nil {
		if match := p.regex.FindIndex(text); match != nil {
			return match[0], match[1]
		}
	} else if i := bytes.Index(text, p.literal); i >= 0 {
		return i, i + len(p.literal)
	}
	return len(text), len(text)
}

// reachesOver tells whether a match may begin with or contain a letter or digit of ASCII, so that it may stand across
// the place where a text is cut: before a space that follows one.
func (p pattern) reachesOver() bool {
	for c := byte('0'); c <= 'z'; c++ {
		if isAlphanumeric(c) && (p.regex != nil && p.mentions(rune(c)) || bytes.IndexByte(p.literal, c) >= 0) {
			return true
		}
	}
	return false
}

// mentions tells whether the regular expression has a place for a character.
func (p pattern) mentions(r rune) bool {
	tree, err := syntax.Parse(p.regex.String(), syntax.Perl)
	return err != nil || hasPlace(tree, r)
}

func hasPlace(tree *syntax.Regexp, r rune) bool {
	switch tree.Op {
	case syntax.OpLiteral:
		return strings.ContainsRune(string(tree.Rune), r)
	case syntax.OpCharClass:
		for i := 0; i < len(tree.Rune); i += 2 {
			if tree.Rune[i] <= r && r <= tree.Rune[i+1] {
				return true
			}
		}
	}
	for _, sub := range tree.Sub {
		if hasPlace(sub, r) {
			return true
		}
	}
	return false
}

// portable compiles a regular expression that means the same to Oniguruma, the reference's engine, and to Go's: both
// take the leftmost match and the first alternative. Only what is written alike is let through, literals, groups,
// alternatives, quantifiers and plain classes; \s and \d get Oniguruma's Unicode classes. Whatever is read
// differently (classes within classes, look-around, anchors, possessive quantifiers, flags) or matches the empty text
// is not supported. Go's engine takes linear time.
func portable(source string) (*regexp.Regexp, error) {
	translated, ok := translate(source)
	if !ok {
		return nil, fmt.Errorf("regular expression %q is %w", source, ErrUnsupported)
	}
	regex, err := regexp.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %v: %w", source, err, ErrUnsupported)
	}
	if regex.MatchString("") {
		return nil, fmt.Errorf("regular expression %q, which matches the empty text, is %w", source, ErrUnsupported)
	}
	return regex, nil
}

// spaceClass is White_Space, inside of a class.
const spaceClass = `\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`

// translate writes a regular expression for Go; ok is false if it has anything but what portable allows.
func translate(source string) (translated string, ok bool) {
	var out strings.Builder
	inClass := false
	for i := 0; i < len(source); i++ {
		c := source[i]
		switch {
		case c == '\\':
			if i++; i == len(source) || !translateEscape(&out, source[i], inClass) {
				return "", false
			}
			continue
		case c == '[' && !inClass:
			inClass = true
			if rest := source[i+1:]; strings.HasPrefix(rest, "]") || strings.HasPrefix(rest, "^]") {
				return "", false
			}
		case c == ']' && inClass:
			inClass = false
		case inClass && (c == '[' || c == '&'):
			return "", false
		case inClass:
		case c == '^', c == '$', c == '.', c == '{' && !isQuantifier(source[i:]):
			return "", false
		case c == '(' && strings.HasPrefix(source[i:], "(?") && !strings.HasPrefix(source[i:], "(?:"):
			return "", false
		}
		out.WriteByte(c)
	}
	return out.String(), !inClass
}

// translateEscape writes what stands after a backslash.
func translateEscape(out *strings.Builder, c byte, inClass bool) bool {
	switch {
	case c == 's' && inClass:
		out.WriteString(spaceClass)
	case c == 's':
		out.WriteString("[" + spaceClass + "]")
	case c == 'S' && !inClass:
		out.WriteString("[^" + spaceClass + "]")
	case c == 'n', c == 'r', c == 't', c > ' ' && c < 0x7f && !isAlphanumeric(c):
		out.WriteByte('\\')
		out.WriteByte(c)
	default:
		return false
	}
	return true
}

var quantifier = regexp.MustCompile(`^\{[0-9]+(,[0-9]*)?\}([^+?]|$)`)

// isQuantifier tells whether {n}, {n,} or {n,m} stands at the beginning of source. (Oniguruma reads {n}? and {n}+ otherwise.)
func isQuantifier(source string) bool { return quantifier.MatchString(source) }

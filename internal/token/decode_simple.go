package token

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// byteFallbackDecoder turns runs of tokens like <0x61> into the text whose bytes they are, or into one U+FFFD each if
// that is not UTF-8.
type byteFallbackDecoder struct{}

func (byteFallbackDecoder) decode(tokens []string) []string {
	var out []string
	var run []byte
	flush := func() {
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			out = append(out, slices.Repeat([]string{string(utf8.RuneError)}, len(run))...)
		}
		run = run[:0]
	}
	for _, token := range tokens {
		if b, ok := byteToken(token); ok {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, token)
	}
	flush()
	return out
}

// byteToken is the byte that a token like <0x61> stands for.
func byteToken(token string) (byte, bool) {
	if len(token) != 6 || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err == nil
}

// suffixDecoder (BPEDecoder) puts a space in place of the suffix that ends words, and nothing at the text's end.
type suffixDecoder string

func (d suffixDecoder) decode(tokens []string) []string {
	return eachToken(tokens, func(i int, token string) string {
		space := " "
		if i == len(tokens)-1 {
			space = ""
		}
		return strings.ReplaceAll(token, string(d), space)
	})
}

// ctcDecoder joins repeated tokens and drops padding, as speech models need.
type ctcDecoder struct {
	pad, delimiter string
	cleanup        bool
}

func (d ctcDecoder) decode(tokens []string) []string {
	var out []string
	for _, token := range slices.Compact(tokens) {
		token = strings.ReplaceAll(token, d.pad, "")
		if d.cleanup {
			token = strings.ReplaceAll(tidy(token), d.delimiter, " ")
		}
		if token != "" {
			out = append(out, token)
		}
	}
	return out
}

// replaceDecoder puts content in place of each occurrence of a pattern in a token.
type replaceDecoder struct{ replace }

func newReplaceDecoder(file decoderFile) (decoder, error) {
	n, err := newReplace(normalizerFile{Pattern: file.Pattern, Content: file.Content})
	if err != nil {
		return nil, err
	}
	return replaceDecoder{n.(replace)}, nil
}

func (d replaceDecoder) decode(tokens []string) []string {
	return eachToken(tokens, func(_ int, token string) string { return normalizeString(d.replace, token) })
}

// stripDecoder removes a character from the ends of each token, so many times at most.
type stripDecoder struct {
	char        string
	start, stop int
}

func newStripDecoder(file decoderFile) (decoder, error) {
	if utf8.RuneCountInString(file.Content) != 1 {
		return nil, fmt.Errorf("content %q is not one character", file.Content)
	}
	return stripDecoder{file.Content, file.Start, file.Stop}, nil
}

func (d stripDecoder) decode(tokens []string) []string {
	return eachToken(tokens, func(_ int, token string) string {
		for n := 0; n < d.start && strings.HasPrefix(token, d.char); n++ {
			token = token[len(d.char):]
		}
		for n := 0; n < d.stop && strings.HasSuffix(token, d.char); n++ {
			token = token[:len(token)-len(d.char)]
		}
		return token
	})
}

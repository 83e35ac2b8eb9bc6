package token

import (
	"encoding/json"
	"strings"
)

// A decoder joins tokens to text.
type decoder interface {
	decode(tokens []string) string
}

// readDecoder reads a decoder; null joins tokens with spaces.
func readDecoder(raw json.RawMessage) (decoder, error) {
	var file struct {
		Type    string `json:"type"`
		Prefix  string `json:"prefix"`
		Cleanup bool   `json:"cleanup"`
	}
	if len(raw) == 0 || string(raw) == "null" {
		return spaceDecoder{}, nil
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	switch file.Type {
	case "WordPiece":
		return wordPieceDecoder{file.Prefix, file.Cleanup}, nil
	}
	return nil, unsupported("decoder", file.Type, "WordPiece")
}

type spaceDecoder struct{}

func (spaceDecoder) decode(tokens []string) string { return strings.Join(tokens, " ") }

// wordPieceDecoder puts a space before each token that does not continue a word.
type wordPieceDecoder struct {
	prefix  string
	cleanup bool // tidy the spaces around English punctuation and contractions
}

func (d wordPieceDecoder) decode(tokens []string) string {
	var text strings.Builder
	for i, token := range tokens {
		if i > 0 {
			if rest, continues := strings.CutPrefix(token, d.prefix); continues {
				token = rest
			} else {
				token = " " + token
			}
		}
		if d.cleanup {
			token = tidy(token)
		}
		text.WriteString(token)
	}
	return text.String()
}

// tidy applies the reference's replacements one after the other: a later one sees what an earlier one made.
func tidy(token string) string {
	for _, r := range [...][2]string{
		{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
		{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
	} {
		token = strings.ReplaceAll(token, r[0], r[1])
	}
	return token
}

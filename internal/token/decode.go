package token

import (
	"encoding/json"
	"strings"
)

// A decoder turns tokens into stretches of text; the text is all of them together.
type decoder interface {
	decode(tokens []string) []string
}

// decoderFile is a decoder of tokenizer.json, every kind's fields together.
type decoderFile struct {
	Type     string            `json:"type"`
	Decoders []json.RawMessage `json:"decoders"`

	Prefix             string          `json:"prefix"`
	Cleanup            bool            `json:"cleanup"`
	Pattern            json.RawMessage `json:"pattern"`
	Content            string          `json:"content"`
	Start              int             `json:"start"`
	Stop               int             `json:"stop"`
	Suffix             string          `json:"suffix"`
	PadToken           string          `json:"pad_token"`
	WordDelimiterToken string          `json:"word_delimiter_token"`
	metaspaceFile
}

// readDecoder reads a decoder; null puts spaces between tokens.
func readDecoder(raw json.RawMessage, depth int) (decoder, error) {
	file, present, err := readComponent[decoderFile](raw, depth)
	if err != nil {
		return nil, err
	}
	if !present {
		return spaceDecoder{}, nil
	}
	switch file.Type {
	case "WordPiece":
		return wordPieceDecoder{file.Prefix, file.Cleanup}, nil
	case "ByteLevel":
		return byteLevelDecoder{}, nil
	case "ByteFallback":
		return byteFallbackDecoder{}, nil
	case "BPEDecoder":
		return suffixDecoder(file.Suffix), nil
	case "CTC":
		return ctcDecoder{file.PadToken, file.WordDelimiterToken, file.Cleanup}, nil
	case "Fuse":
		return fuseDecoder{}, nil
	case "Metaspace":
		return newMetaspaceDecoder(file)
	case "Replace":
		return newReplaceDecoder(file)
	case "Strip":
		return newStripDecoder(file)
	case "Sequence":
		return readDecoders(file.Decoders, depth)
	}
	return nil, unsupported("decoder", file.Type, "BPEDecoder", "ByteFallback", "ByteLevel", "CTC", "Fuse", "Metaspace",
		"Replace", "Sequence", "Strip", "WordPiece")
}

// decoders apply one after the other.
type decoders []decoder

func readDecoders(raw []json.RawMessage, depth int) (decoder, error) {
	var sequence decoders
	for _, r := range raw {
		d, err := readDecoder(r, depth+1)
		if err != nil {
			return nil, err
		}
		sequence = append(sequence, d)
	}
	return sequence, nil
}

func (d decoders) decode(tokens []string) []string {
	for _, decoder := range d {
		tokens = decoder.decode(tokens)
	}
	return tokens
}

type spaceDecoder struct{}

func (spaceDecoder) decode(tokens []string) []string { return []string{strings.Join(tokens, " ")} }

// fuseDecoder joins all tokens to one, for the decoders after it.
type fuseDecoder struct{}

func (fuseDecoder) decode(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// eachToken changes tokens one by one, in place.
func eachToken(tokens []string, change func(i int, token string) string) []string {
	for i, token := range tokens {
		tokens[i] = change(i, token)
	}
	return tokens
}

// wordPieceDecoder puts a space before each token that does not continue a word.
type wordPieceDecoder struct {
	prefix  string
	cleanup bool // tidy the spaces around English punctuation and contractions
}

func (d wordPieceDecoder) decode(tokens []string) []string {
	return eachToken(tokens, func(i int, token string) string {
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
		return token
	})
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

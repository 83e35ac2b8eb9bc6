package token

import "encoding/json"

// A model makes tokens of a word.
type model interface {
	// appendTokens appends the tokens of a word; their positions are bytes of the word.
	appendTokens(dst []token, word []byte) []token
	vocabulary() *vocabulary
}

// readModel reads the model, the one part of tokenizer.json that cannot be missing.
func readModel(raw json.RawMessage) (model, error) {
	var file struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	switch file.Type {
	case "WordPiece":
		return readWordPiece(raw)
	}
	return nil, unsupported("model", file.Type, "WordPiece")
}

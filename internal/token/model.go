package token

import "encoding/json"

// A model makes tokens of a word.
type model interface {
	// appendTokens appends the tokens of a word; their positions are bytes of the word.
	appendTokens(dst []token, word []byte, w *workspace) []token
	vocabulary() *vocabulary
}

// workspace is what models need while they make tokens, kept from word to word.
type workspace struct {
	symbols []symbol  // of BPE
	queue   mergeHeap // of BPE
	key     []byte    // of BPE
	paths   []path    // of Unigram
	cache   *wordCache
}

// size is about how many elements a workspace holds besides its cache.
func (w *workspace) size() int { return max(cap(w.symbols), cap(w.queue), cap(w.paths)) }

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
	case "BPE":
		return readBPE(raw)
	case "Unigram":
		return readUnigram(raw)
	}
	return nil, unsupported("model", file.Type, "BPE", "Unigram", "WordPiece")
}

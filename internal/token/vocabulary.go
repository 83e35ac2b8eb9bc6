package token

import (
	"encoding/json"
	"fmt"
)

// A vocabulary maps tokens to ids and back.
type vocabulary struct {
	trie   *trie
	tokens []string // by id; "" where no token has the id
	size   int      // how many tokens there are
}

// readVocabulary reads a JSON object of tokens and ids.
func readVocabulary(raw json.RawMessage) (*vocabulary, error) {
	var ids map[string]int64
	if err := json.Unmarshal(raw, &ids); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	// Ids index an array, here and in the model: a few wild ones must not cost gigabytes.
	limit, bytes := 2*int64(len(ids))+1<<16, 0
	highest := int64(-1)
	for token, id := range ids {
		if id < 0 || id >= limit {
			return nil, fmt.Errorf("vocab: token %q has id %d, want 0 to %d in a vocabulary of %d", token, id, limit-1, len(ids))
		}
		highest = max(highest, id)
		bytes += len(token)
	}
	if bytes > maxTrieBytes {
		return nil, fmt.Errorf("vocab: its tokens have %d bytes, at most %d are supported", bytes, maxTrieBytes)
	}
	v := &vocabulary{trie: newTrie(), tokens: make([]string, highest+1), size: len(ids)}
	for token, id := range ids {
		if token != "" {
			v.trie.add(token, int32(id))
			v.tokens[id] = token
		}
	}
	return v, nil
}

// id is the id of a token.
func (v *vocabulary) id(token string) (int32, bool) {
	node, ok := v.trie.walk(token)
	if !ok || v.trie.nodes[node] == noValue {
		return 0, false
	}
	return v.trie.nodes[node], true
}

// token is the token of an id.
func (v *vocabulary) token(id int32) (string, bool) {
	if id < 0 || int(id) >= len(v.tokens) || v.tokens[id] == "" {
		return "", false
	}
	return v.tokens[id], true
}

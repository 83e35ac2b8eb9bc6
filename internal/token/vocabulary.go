package token

import (
	"encoding/json"
	"fmt"
)

// A vocabulary maps tokens to ids and back.
type vocabulary struct {
	ids    map[string]int32
	tokens []string // by id; "" where no token has the id
	size   int      // how many tokens the file lists
}

// readVocabulary reads a JSON object of tokens and ids.
func readVocabulary(raw json.RawMessage) (*vocabulary, error) {
	var ids map[string]int32
	if err := json.Unmarshal(raw, &ids); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	// Ids index an array, here and in the model: a few wild ones must not cost gigabytes.
	limit, highest := 2*int64(len(ids))+1<<16, int32(-1)
	for token, id := range ids {
		if id < 0 || int64(id) >= limit {
			return nil, fmt.Errorf("vocab: token %q has id %d, want 0 to %d in a vocabulary of %d", token, id, limit-1, len(ids))
		}
		highest = max(highest, id)
	}
	v := &vocabulary{ids: ids, tokens: make([]string, highest+1), size: len(ids)}
	for token, id := range ids {
		v.tokens[id] = token
	}
	return v, nil
}

// trie is a trie of all tokens but the empty one; their values are the ids.
func (v *vocabulary) trie() (*trie, error) {
	bytes := 0
	for token := range v.ids {
		bytes += len(token)
	}
	if bytes > maxTrieBytes {
		return nil, fmt.Errorf("vocab: its tokens have %d bytes, at most %d are supported", bytes, maxTrieBytes)
	}
	t := newTrie()
	for token, id := range v.ids {
		if token != "" {
			t.add(token, id)
		}
	}
	return t, nil
}

// id is the id of a token.
func (v *vocabulary) id(token string) (int32, bool) {
	id, ok := v.ids[token]
	return id, ok && token != ""
}

// token is the token of an id.
func (v *vocabulary) token(id int32) (string, bool) {
	if id < 0 || int(id) >= len(v.tokens) || v.tokens[id] == "" {
		return "", false
	}
	return v.tokens[id], true
}

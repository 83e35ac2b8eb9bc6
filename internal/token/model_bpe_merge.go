package token

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// A mergePair is two tokens that may be merged: in tokenizer.json a list of two, or a string with a space between them.
type mergePair [2]string

func (p *mergePair) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		var pair []string
		if err := json.Unmarshal(data, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return fmt.Errorf("a merge of %d tokens, want 2", len(pair))
		}
		*p = mergePair(pair)
		return nil
	}
	var line string
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	left, right, ok := strings.Cut(line, " ")
	if !ok || strings.Contains(right, " ") {
		return fmt.Errorf("merge %q is not two tokens with a space between them", line)
	}
	*p = mergePair{left, right}
	return nil
}

// A mergeTable knows which tokens may be merged, in an open-addressing hash table: a word costs several look-ups a
// character.
type mergeTable struct {
	slots []mergeSlot
	shift uint8
}

type mergeSlot struct {
	left, right int32 // noValue in left marks a free slot
	rank        uint32
	into        int32
}

// neverMerged is the rank of a pair that cannot be merged.
const neverMerged = ^uint32(0)

func newMergeTable(pairs []mergePair, vocab *vocabulary, prefix int) (*mergeTable, error) {
	slots := max(16, 1<<bits.Len(uint(2*len(pairs))))
	t := &mergeTable{make([]mergeSlot, slots), uint8(64 - bits.TrailingZeros(uint(slots)))}
	for i := range t.slots {
		t.slots[i].left = noValue
	}
	var key []byte
	for rank, pair := range pairs {
		if len(pair[1]) < prefix {
			return nil, fmt.Errorf("merge %q is shorter than continuing_subword_prefix", pair)
		}
		left, known := vocab.ids[pair[0]]
		right, alsoKnown := vocab.ids[pair[1]]
		key = append(append(key[:0], pair[0]...), pair[1][prefix:]...)
		into, intoKnown := vocab.ids[string(key)]
		if !known || !alsoKnown || !intoKnown {
			return nil, fmt.Errorf("merge %q: it, or what it gives, is not in the vocabulary", pair)
		}
		*t.slot(left, right) = mergeSlot{left, right, uint32(rank), into}
	}
	return t, nil
}

// slot is where a pair is or would be.
func (t *mergeTable) slot(left, right int32) *mergeSlot {
	mask := uint64(len(t.slots) - 1)
	key := uint64(uint32(left))<<32 | uint64(uint32(right))
	for i := key * 0x9E3779B97F4A7C15 >> t.shift; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.left == left && s.right == right || s.left == noValue {
			return s
		}
	}
}

// A symbol is a token of a word while it is merged.
type symbol struct {
	id         int32
	length     int32  // in bytes of the word; 0: merged into the one before
	rank       uint32 // of the merge with the next symbol
	into       int32  // what that merge gives
	prev, next int32  // in long words the places of the symbols beside it
}

// shortWord is up to how many symbols looking through them all for the next merge is quicker than a queue.
const shortWord = 48

// apply merges w.symbols until no two can be merged.
func (t *mergeTable) apply(w *workspace) []symbol {
	if len(w.symbols) <= shortWord {
		return t.applyShort(w.symbols)
	}
	return t.applyLong(w)
}

func (t *mergeTable) applyShort(symbols []symbol) []symbol {
	for i := range symbols {
		t.rank(symbols, i)
	}
	for len(symbols) > 1 {
		first, rank := 0, neverMerged
		for i := range symbols {
			if symbols[i].rank < rank {
				first, rank = i, symbols[i].rank
			}
		}
		if rank == neverMerged {
			break
		}
		symbols[first].id = symbols[first].into
		symbols[first].length += symbols[first+1].length
		symbols = slices.Delete(symbols, first+1, first+2)
		t.rank(symbols, first)
		if first > 0 {
			t.rank(symbols, first-1)
		}
	}
	return symbols
}

// rank looks up the merge of a symbol with the next.
func (t *mergeTable) rank(symbols []symbol, i int) {
	s := &symbols[i]
	s.rank = neverMerged
	if i+1 < len(symbols) {
		if slot := t.slot(s.id, symbols[i+1].id); slot.left != noValue {
			s.rank, s.into = slot.rank, slot.into
		}
	}
}

package token

import (
	"encoding/binary"
	"math/bits"
)

// A wordCache remembers the tokens of words seen lately. Text repeats its words, and merging costs ten times a look-up.
// Each word has one place, where the next word of that place pushes it out. English as it is written has some ten
// thousand forms in a few hundred pages: a quarter of the places costs a third more time. A MiB for each text encoded
// at once.
type wordCache [cacheSlots]cachedWord

const (
	cacheBits    = 14
	cacheSlots   = 1 << cacheBits
	cachedBytes  = 24 // longer words are not remembered
	cachedTokens = 7  // nor are words of more tokens; so many fill a cache line
)

type cachedWord struct {
	text  [cachedBytes]byte
	bytes uint8 // 0: free
	count uint8
	ends  [cachedTokens]uint8
	ids   [cachedTokens]int32
}

// cached is a model with a cache before it.
type cached struct{ model }

func (c cached) appendTokens(dst []token, word []byte, w *workspace) []token {
	if len(word) > cachedBytes || len(word) == 0 {
		return c.model.appendTokens(dst, word, w)
	}
	if w.cache == nil {
		w.cache = new(wordCache)
	}
	var text [cachedBytes]byte
	copy(text[:], word)
	e := &w.cache[placeOf(&text)]
	if int(e.bytes) != len(word) || e.text != text {
		first := len(dst)
		dst = c.model.appendTokens(dst, word, w)
		e.remember(text, len(word), dst[first:])
		return dst
	}
	start := 0
	for i := range e.count {
		end := int(e.ends[i])
		dst = append(dst, token{e.ids[i], start, end})
		start = end
	}
	return dst
}

// remember puts a word into a place, if there is room for its tokens and they stand side by side.
func (e *cachedWord) remember(text [cachedBytes]byte, bytes int, tokens []token) {
	if len(tokens) > cachedTokens {
		return
	}
	e.bytes = 0
	start := 0
	for i, t := range tokens {
		if t.start != start {
			return
		}
		start = t.end
		e.ids[i], e.ends[i] = t.id, uint8(t.end)
	}
	e.text, e.bytes, e.count = text, uint8(bytes), uint8(len(tokens))
}

// placeOf hashes a word.
func placeOf(text *[cachedBytes]byte) uint64 {
	const odd1, odd2, odd3 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
	h := binary.LittleEndian.Uint64(text[0:]) * odd1
	h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(text[8:])*odd2, 31)
	h ^= bits.RotateLeft64(binary.LittleEndian.Uint64(text[16:])*odd3, 17)
	h *= odd1
	return h >> (64 - cacheBits)
}

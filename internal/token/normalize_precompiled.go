package token

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// precompiled is SentencePiece's normalizer: a map of characters and short sequences, mostly NFKC with changes of its
// own, stored as a double array trie of 32-bit units and the strings that its values point into.
type precompiled struct {
	units []uint32
	blob  []byte              // strings that end in NUL
	plain [utf8.RuneSelf]bool // ASCII characters that stay as they are
}

func newPrecompiled(charsmap []byte) (*precompiled, error) {
	if len(charsmap) < 4 {
		return nil, errors.New("precompiled_charsmap is shorter than its header")
	}
	size := binary.LittleEndian.Uint32(charsmap)
	rest := charsmap[4:]
	if size%4 != 0 || uint64(size) > uint64(len(rest)) {
		return nil, fmt.Errorf("precompiled_charsmap has a trie of %d bytes in %d", size, len(rest))
	}
	n := &precompiled{blob: rest[size:]}
	for unit := range slices.Chunk(rest[:size], 4) {
		n.units = append(n.units, binary.LittleEndian.Uint32(unit))
	}
	if !utf8.Valid(n.blob) {
		return nil, errors.New("precompiled_charsmap has strings that are not UTF-8")
	}
	for c := range n.plain {
		_, changed := n.transform([]byte{byte(c)})
		n.plain[c] = !changed
	}
	return n, nil
}

// A space between letters begins a grapheme cluster of its own.
func (n *precompiled) local() bool { return n.plain[' '] }

// Units of the double array, as darts-clone lays them out.
func unitLabel(u uint32) uint32  { return u & (1<<31 | 0xFF) }
func unitOffset(u uint32) uint32 { return u >> 10 << ((u & (1 << 9)) >> 6) }
func unitHasLeaf(u uint32) bool  { return u>>8&1 == 1 }
func unitValue(u uint32) uint32  { return u & (1<<31 - 1) }

// transform is what the shortest key that text begins with becomes. (SentencePiece takes the longest; the reference's
// reader takes the shortest, and puts it in place of the whole text, whatever follows the key.)
func (n *precompiled) transform(text []byte) (to []byte, ok bool) {
	at := uint32(0)
	if len(n.units) > 0 {
		at = unitOffset(n.units[0])
	}
	for _, b := range text {
		at ^= uint32(b)
		if b == 0 || int64(at) >= int64(len(n.units)) || unitLabel(n.units[at]) != uint32(b) {
			return nil, false
		}
		leaf := unitHasLeaf(n.units[at])
		if at ^= unitOffset(n.units[at]); leaf && int64(at) < int64(len(n.units)) {
			return n.text(unitValue(n.units[at]))
		}
	}
	return nil, false
}

// text is the string at a place of the blob.
func (n *precompiled) text(at uint32) ([]byte, bool) {
	if int64(at) > int64(len(n.blob)) || int64(at) < int64(len(n.blob)) && !utf8.RuneStart(n.blob[at]) {
		return nil, false
	}
	text := n.blob[at:]
	if end := slices.Index(text, 0); end >= 0 {
		text = text[:end]
	}
	return text, true
}

// longestCluster is up to how many bytes of a grapheme cluster are looked up as a whole; characters of longer ones are
// looked up one by one.
const longestCluster = 5

func (n *precompiled) normalize(p *piece) {
	if !slices.ContainsFunc(p.text, func(b byte) bool { return b >= utf8.RuneSelf || !n.plain[b] }) {
		return
	}
	p.changes = p.changes[:0]
	changed := false
	for i := 0; i < len(p.text); {
		size := n.clusterAt(p.text, i)
		part := p.text[i : i+size]
		i += size
		if size <= longestCluster {
			if to, ok := n.transform(part); ok {
				p.replacePart(part, to)
				changed = true
				continue
			}
		}
		for len(part) > 0 {
			r, size := utf8.DecodeRune(part)
			if to, ok := n.transform(part[:size]); ok {
				p.replacePart(part[:size], to)
				changed = true
			} else {
				p.changes = append(p.changes, change{r, 0})
			}
			part = part[size:]
		}
	}
	if changed {
		p.apply()
	}
}

// clusterAt is the length of the grapheme cluster at byte i.
func (n *precompiled) clusterAt(text []byte, i int) int {
	if text[i] < utf8.RuneSelf && i+1 < len(text) && text[i+1] < utf8.RuneSelf && text[i] != '\r' {
		return 1
	}
	return cluster(text[i:])
}

// replacePart appends the changes that put a text in place of another. Characters that are removed count with the one
// before; at the beginning there is none, and then all that follows seems to stand too far left: so the reference.
func (p *piece) replacePart(from, to []byte) {
	first := len(p.changes)
	for i := 0; i < len(to); {
		r, size := utf8.DecodeRune(to[i:])
		p.changes = append(p.changes, change{r, 0})
		i += size
	}
	more := utf8.RuneCount(to) - utf8.RuneCount(from)
	for i := max(first, len(p.changes)-more); i < len(p.changes); i++ {
		p.changes[i].by = 1
	}
	if more < 0 && len(p.changes) > 0 {
		p.changes[len(p.changes)-1].by += more
	}
}

// drifts tells whether what a normalizer removes at the beginning moves the positions of all that follows.
func drifts(n normalizer) bool {
	switch n := n.(type) {
	case *precompiled:
		return true
	case normalizers:
		return slices.ContainsFunc(n, drifts)
	}
	return false
}

package token

import "math/bits"

// A trie finds the longest of many strings that a text begins with. Its edges live in one open-addressing hash table:
// quick to build for any vocabulary, and a step is one probe most of the time.
type trie struct {
	edges []edge
	shift uint8
	nodes []int32 // the value of each node; noValue where no string ends
}

type edge struct {
	key   uint32 // parent node << 8 | byte, plus 1: 0 marks a free slot
	child int32  // its node; negative, -1 - node, if a string ends there, so that most steps need no look at nodes
}

const noValue int32 = -1

// root is the node of the empty string.
const root int32 = 0

// maxTrieBytes is how many bytes all strings of a trie may have together: node numbers have 24 bits.
const maxTrieBytes = 1<<24 - 2

func newTrie() *trie {
	t := &trie{nodes: []int32{noValue}}
	t.resize(16)
	return t
}

// resize makes room for half of slots, a power of two, edges.
func (t *trie) resize(slots int) {
	old := t.edges
	t.edges, t.shift = make([]edge, slots), uint8(32-bits.TrailingZeros(uint(slots)))
	for _, e := range old {
		if e.key != 0 {
			t.edges[t.slot(e.key)] = e
		}
	}
}

// slot is where an edge is or would be.
func (t *trie) slot(key uint32) int {
	mask := len(t.edges) - 1
	i := int(key * 0x9E3779B1 >> t.shift)
	for t.edges[i].key != key && t.edges[i].key != 0 {
		i = (i + 1) & mask
	}
	return i
}

func edgeKey(node int32, b byte) uint32 { return uint32(node)<<8 | uint32(b) + 1 }

// add puts a string, not empty, into the trie; the last value given to a string counts.
func (t *trie) add(s string, value int32) {
	node, slot := root, 0
	for i := range len(s) {
		key := edgeKey(node, s[i])
		slot = t.slot(key)
		if t.edges[slot].key == 0 {
			if 2*len(t.nodes) > len(t.edges) {
				t.resize(2 * len(t.edges))
				slot = t.slot(key)
			}
			t.edges[slot] = edge{key, int32(len(t.nodes))}
			t.nodes = append(t.nodes, noValue)
		}
		if node = t.edges[slot].child; node < 0 {
			node = -1 - node
		}
	}
	t.nodes[node] = value
	t.edges[slot].child = -1 - node
}

// walk follows a string from the root; ok is false if nothing in the trie begins with it.
func (t *trie) walk(s string) (node int32, ok bool) {
	for i := range len(s) {
		e := t.edges[t.slot(edgeKey(node, s[i]))]
		if e.key == 0 {
			return 0, false
		}
		if node = e.child; node < 0 {
			node = -1 - node
		}
	}
	return node, true
}

// longest is the length of the longest string, read from node on, that text begins with, and its value; noValue if
// there is none. The empty string is not looked for.
func (t *trie) longest(node int32, text []byte) (length int, value int32) {
	last := noValue
	for i, b := range text {
		e := t.edges[t.slot(edgeKey(node, b))]
		if e.key == 0 {
			break
		}
		if node = e.child; node < 0 {
			node = -1 - node
			length, last = i+1, node
		}
	}
	if last == noValue {
		return 0, noValue
	}
	return length, t.nodes[last]
}

// step follows one byte from a node. It gives the node it leads to, noValue if there is none, and the value of the
// string that ends there, noValue if none does.
func (t *trie) step(node int32, b byte) (next, value int32) {
	e := t.edges[t.slot(edgeKey(node, b))]
	switch {
	case e.key == 0:
		return noValue, noValue
	case e.child < 0:
		return -1 - e.child, t.nodes[-1-e.child]
	}
	return e.child, noValue
}

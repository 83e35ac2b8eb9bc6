package token

// A trie finds the longest of many strings that a text begins with. Its edges live in one open-addressing hash table:
// quick to build for any vocabulary, and a step is one probe most of the time.
type trie struct {
	edges []edge
	shift uint8
	nodes []int32 // the value of each node; noValue where no string ends
}

type edge struct {
	key   uint64 // parent node << 8 | byte, plus 1: 0 marks a free slot
	child int32
}

const noValue int32 = -1

// root is the node of the empty string.
const root int32 = 0

func newTrie(bytes int) *trie {
	t := &trie{nodes: make([]int32, 1, bytes/2+1)}
	t.nodes[root] = noValue
	t.resize(max(16, bytes))
	return t
}

// resize makes room for about half of slots edges.
func (t *trie) resize(slots int) {
	old := t.edges
	t.shift = 64
	for n := 1; n < slots; n <<= 1 {
		t.shift--
	}
	t.edges = make([]edge, 1<<(64-t.shift))
	for _, e := range old {
		if e.key != 0 {
			t.edges[t.slot(e.key)] = e
		}
	}
}

// slot is where an edge is or would be.
func (t *trie) slot(key uint64) int {
	mask := len(t.edges) - 1
	i := int(key * 0x9E3779B97F4A7C15 >> t.shift)
	for t.edges[i].key != key && t.edges[i].key != 0 {
		i = (i + 1) & mask
	}
	return i
}

// step is the child of a node along a byte; ok is false if there is none.
func (t *trie) step(node int32, b byte) (child int32, ok bool) {
	e := t.edges[t.slot(uint64(node)<<8|uint64(b)+1)]
	return e.child, e.key != 0
}

// add puts a string into the trie; the last value given to a string counts.
func (t *trie) add(s string, value int32) {
	node := root
	for i := range len(s) {
		key := uint64(node)<<8 | uint64(s[i]) + 1
		slot := t.slot(key)
		if t.edges[slot].key == 0 {
			if 4*len(t.nodes) > 3*len(t.edges) {
				t.resize(2 * len(t.edges))
				slot = t.slot(key)
			}
			t.edges[slot] = edge{key, int32(len(t.nodes))}
			t.nodes = append(t.nodes, noValue)
		}
		node = t.edges[slot].child
	}
	t.nodes[node] = value
}

// walk follows a string from the root; ok is false if nothing in the trie begins with it.
func (t *trie) walk(s string) (node int32, ok bool) {
	for i := range len(s) {
		if node, ok = t.step(node, s[i]); !ok {
			return 0, false
		}
	}
	return node, true
}

// longest is the length of the longest string, read from node on, that text begins with, and its value; noValue if
// there is none. The empty string is not looked for.
func (t *trie) longest(node int32, text []byte) (length int, value int32) {
	value = noValue
	for i, b := range text {
		child, ok := t.step(node, b)
		if !ok {
			break
		}
		node = child
		if v := t.nodes[node]; v != noValue {
			length, value = i+1, v
		}
	}
	return length, value
}

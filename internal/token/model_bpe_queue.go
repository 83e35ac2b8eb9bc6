package token

// A pendingMerge is a merge that was possible when it was put into the queue. The one learned first comes first, and of
// equals the leftmost.
type pendingMerge struct {
	rank  uint32
	place int32 // of the left symbol
	into  int32
}

func (a pendingMerge) before(b pendingMerge) bool {
	return a.rank < b.rank || a.rank == b.rank && a.place < b.place
}

// applyLong merges with a queue, in time n log n: a word may be a mebibyte of one letter.
func (t *mergeTable) applyLong(w *workspace) []symbol {
	symbols := w.symbols
	w.queue = w.queue[:0]
	for i := range symbols {
		symbols[i].prev, symbols[i].next = int32(i-1), int32(i+1)
		t.enqueue(w, int32(i))
	}
	for len(w.queue) > 0 {
		m := w.queue.pop()
		s := &symbols[m.place]
		if s.length == 0 || int(s.next) >= len(symbols) {
			continue
		}
		next := &symbols[s.next]
		// What stood there may have been merged with something else since.
		if slot := t.slot(s.id, next.id); slot.left == noValue || slot.into != m.into {
			continue
		}
		s.id = m.into
		s.length += next.length
		next.length = 0
		if s.next = next.next; int(s.next) < len(symbols) {
			symbols[s.next].prev = m.place
		}
		if s.prev >= 0 {
			t.enqueue(w, s.prev)
		}
		t.enqueue(w, m.place)
	}
	kept := symbols[:0]
	for _, s := range symbols {
		if s.length > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// enqueue puts the merge of a symbol with the next into the queue, if there is one.
func (t *mergeTable) enqueue(w *workspace, place int32) {
	next := w.symbols[place].next
	if int(next) >= len(w.symbols) {
		return
	}
	if slot := t.slot(w.symbols[place].id, w.symbols[next].id); slot.left != noValue {
		w.queue.push(pendingMerge{slot.rank, place, slot.into})
	}
}

// A mergeHeap is a binary heap: container/heap would box every element.
type mergeHeap []pendingMerge

func (h *mergeHeap) push(m pendingMerge) {
	*h = append(*h, m)
	q := *h
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !m.before(q[parent]) {
			break
		}
		q[i] = q[parent]
		i = parent
	}
	q[i] = m
}

func (h *mergeHeap) pop() pendingMerge {
	q := *h
	top, last := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	i := 0
	for child := 1; child < len(q); child = 2*i + 1 {
		if child+1 < len(q) && q[child+1].before(q[child]) {
			child++
		}
		if !q[child].before(last) {
			break
		}
		q[i] = q[child]
		i = child
	}
	if len(q) > 0 {
		q[i] = last
	}
	return top
}

package token

import (
	"sync/atomic"
	"unicode"
)

// A runeTable remembers what is computed of characters, a page of 256 at a time, when first asked for.
type runeTable[T any] struct {
	compute func(r rune) T
	pages   [(unicode.MaxRune + 1) >> 8]atomic.Pointer[[256]T]
}

// at is what is computed of a character; the zero T of what is none.
func (t *runeTable[T]) at(r rune) T {
	if uint32(r) > unicode.MaxRune {
		var zero T
		return zero
	}
	page := t.pages[r>>8].Load()
	if page == nil {
		page = t.fill(r &^ 0xff)
	}
	return page[r&0xff]
}

// fill makes the page that begins at a character.
func (t *runeTable[T]) fill(first rune) *[256]T {
	page := new([256]T)
	for i := range page {
		page[i] = t.compute(first + rune(i))
	}
	t.pages[first>>8].Store(page)
	return page
}

package token

import (
	"encoding/binary"
	"hash/fnv"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TestUnicodeTablesMatchReference holds the answers for all code points to digests taken when TestDifferential compared
// every one of them with the reference: a new version of Go or of golang.org/x/text must not change them unseen.
func TestUnicodeTablesMatchReference(t *testing.T) {
	t.Parallel()
	forRunes := func(f func(r rune) []rune) uint64 {
		h := fnv.New64a()
		var buffer []byte
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if utf8.ValidRune(r) {
				buffer = buffer[:0]
				for _, answer := range append(f(r), -1) {
					buffer = binary.LittleEndian.AppendUint32(buffer, uint32(answer))
				}
				h.Write(buffer)
			}
		}
		return h.Sum64()
	}
	for name, c := range map[string]struct {
		f    func(r rune) []rune
		want uint64
	}{
		"class": {func(r rune) []rune { return []rune{rune(classOf(r))} }, 0x4d1e1684d7d24d46},
		"lower": {func(r rune) []rune { return toLower(nil, r) }, 0xbb09bdffd625b7a0},
		"NFD":   {func(r rune) []rune { return decompose(nil, norm.NFD, r) }, 0xe800468a93772c0a},
		"NFKD":  {func(r rune) []rune { return decompose(nil, norm.NFKD, r) }, 0x35f77523b06b5b2e},
		"ccc":   {func(r rune) []rune { return []rune{rune(combiningClass(r))} }, 0x95b7f8ee7135e8f1},
	} {
		if got := forRunes(c.f); got != c.want {
			t.Errorf("%s: digest %#x, want %#x", name, got, c.want)
		}
	}
}

func TestClassOfOutsideUnicode(t *testing.T) {
	t.Parallel()
	for _, r := range []rune{-1, unicode.MaxRune + 1} {
		if c := classOf(r); c != 0 {
			t.Errorf("class of %#x is %d", r, c)
		}
	}
}

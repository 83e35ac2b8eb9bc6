package driver

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestNumeric: eight bytes at a time are let pass exactly where every one of them may
// stand in a number, those apart that take the longer way.
func TestNumeric(t *testing.T) {
	t.Parallel()
	var word [8]byte
	check := func() {
		want, plain := true, true
		for _, c := range word {
			want = want && classes[c] == isNumber
			plain = plain && c != 'e' && c != 'E' && c != '\t' && c != '\r' && c != '\n'
		}
		got := numeric(binary.LittleEndian.Uint64(word[:]))
		if got && !want || !got && want && plain {
			t.Fatalf("%q: %v, want %v", word, got, want)
		}
	}
	for at := range word { // every byte at every place, among others that are fine
		for c := range 256 {
			for i, other := range []byte("0,-.9 +5") {
				word[i] = other
			}
			word[at] = byte(c)
			check()
		}
	}
	source := rand.New(rand.NewPCG(1, 1))
	for range 200_000 {
		for i := range word {
			word[i] = byte(source.Uint32())
			if source.Uint32()%4 > 0 {
				word[i] = "0123456789+-., "[source.Uint32()%15]
			}
		}
		check()
	}
}

// TestClassesOfLongText: a byte is found wherever it stands among those that are let
// pass many at a time.
func TestClassesOfLongText(t *testing.T) {
	t.Parallel()
	for at := range 71 {
		for c := range 256 {
			text := bytes.Repeat([]byte("-0.12345,+6.789,"), 5)[:71]
			text[at] = byte(c)
			if got, want := classesOf(text), isNumber|classes[c]; got != want {
				t.Fatalf("%q at %d: %03b, want %03b", rune(c), at, got, want)
			}
		}
	}
}

func BenchmarkClassesOf(b *testing.B) {
	values := bytes.Repeat([]byte("0.0123456,-0.0654321,"), 6000)
	b.SetBytes(int64(len(values)))
	for b.Loop() {
		classesOf(values)
	}
}

func TestClassesOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]byte{
		"": 0, "1.5,-2e-3": isNumber, "1, 2,\n3": isNumber, "0.123456789,0.123456789": isNumber, "0.1234567,NaN,1.0": isNumber | isWord,
		"1.23456789e-05,0.25": isNumber, "0.12345678,\"x\"": isNumber | isOther, "12345678/": isNumber | isOther, "/2345678": isNumber | isOther,
		"1234567:": isNumber | isOther, "1234567\x80": isNumber | isOther, "null": isWord,
	} {
		if got := classesOf([]byte(text)); got != want && !(want == isNumber|isOther && got&isOther != 0) {
			t.Errorf("%q: %03b, want %03b", text, got, want)
		}
	}
}

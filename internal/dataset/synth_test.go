package dataset

import (
	"slices"
	"testing"
	"unicode/utf8"
)

func TestSynthIsAFunctionOfItsArguments(t *testing.T) {
	t.Parallel()
	short, long := Synth(7, 20), Synth(7, 200)
	if !slices.Equal(short.Texts, long.Texts[:20]) {
		t.Error("a shorter set is not a prefix of a longer one with the same seed")
	}
	if again := Synth(7, 20); again.SHA256 != short.SHA256 || again.Source != short.Source {
		t.Errorf("same arguments, another set: %+v and %+v", again, short)
	}
	if other := Synth(8, 20); other.SHA256 == short.SHA256 {
		t.Error("another seed gave the same texts")
	}
}

func TestSynthChars(t *testing.T) {
	t.Parallel()
	for _, chars := range []int{0, 1, 2, 50, 100, 200, 500, 1000, 2000} {
		for _, text := range SynthChars(1, 50, chars).Texts {
			if n := utf8.RuneCountInString(text); n != chars {
				t.Errorf("want %d characters, got %d: %q", chars, n, text)
			}
		}
	}
}

package cpu

import (
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

func TestPrecisionOf(t *testing.T) {
	t.Parallel()
	gated := model.FFN{Activation: model.GELU, Gate: model.Linear{Weight: model.Part{Name: "gate", Rows: 1}}}
	for _, c := range []struct {
		name  string
		dtype kernel.DType
		ffn   model.FFN
		want  precision
	}{
		{"one for all", kernel.BFloat16, model.FFN{Activation: model.GELU}, precision{kernel.BFloat16, kernel.BFloat16, kernel.BFloat16, kernel.BFloat16}},
		{"int8", kernel.Int8, model.FFN{Activation: model.ReLU}, precision{kernel.Int8, kernel.Int8, kernel.Int8, kernel.Int8}},
		{"int8 behind GELU", kernel.Int8, model.FFN{Activation: model.GELU}, precision{kernel.Int8, kernel.Int8, kernel.Int8, kernel.Int8GELU}},
		{"int8 behind a gate, which has no least value", kernel.Int8, gated, precision{kernel.Int8, kernel.Int8, kernel.Int8, kernel.Int8}},
	} {
		if got := precisionOf(c.dtype, &c.ffn); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}

// TestHands: more of them for wider models, none for what takes microseconds.
func TestHands(t *testing.T) {
	t.Parallel()
	wide := shape{vocab: 8, positions: 8, hidden: 768, heads: 12, inner: 768, layers: 1}
	for _, c := range []struct {
		name   string
		s      shape
		tokens int
		want   int
	}{
		{"a short text of a small model", small, 12, 0},
		{"a long one", small, 300, 1},
		{"a wide model", wide, 12, 5},
	} {
		if got := openRandom(t, c.s, Options{Threads: 1}).weights.hands(c.tokens); got != c.want {
			t.Errorf("%s: %d hands; want %d", c.name, got, c.want)
		}
	}
}

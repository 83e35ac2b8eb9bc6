package serve

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/quantize"
)

type typed struct {
	Embeddings struct {
		Float [][]float32
		Uint8 [][]int
	}
}

// TestCalibratedBytes: the bytes of a text come from the server's calibration and
// not from what else is in the request, at each dimension.
func TestCalibratedBytes(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 300 { // more than are embedded at a time
		texts = append(texts, strings.Repeat("a ", i%9)+strings.Repeat("b", i%5))
	}
	s := newServer(t, "", &fakeRunner{}, Options{Calibration: texts})
	list := `"` + strings.Join(texts, `","`) + `"`
	for _, dim := range []int{2, 4} {
		embed := func(texts string) typed {
			return decoded[typed](t, ask(s, post, "/v2/embed", fmt.Sprintf(`{"texts":[%s],"embedding_types":["float","uint8"],"output_dimension":%d}`, texts, dim)))
		}
		ranges, err := quantize.RangesOf(embed(list).Embeddings.Float)
		if err != nil {
			t.Fatal(err)
		}
		alone, together := embed(`"a b c"`).Embeddings, embed(`"a b c","d d d d d"`).Embeddings
		if len(alone.Uint8[0]) != dim || !slices.Equal(alone.Uint8[0], together.Uint8[0]) {
			t.Errorf("alone %v, with another %v", alone.Uint8, together.Uint8)
		}
		for i, x := range alone.Float[0] {
			if want := ranges.Uint8(i, x); alone.Uint8[0][i] != want {
				t.Errorf("dimension %d of %d: %d, want %d", i, dim, alone.Uint8[0][i], want)
			}
		}
	}
}

func TestUncalibratedBytes(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	got := decoded[typed](t, ask(s, post, "/v2/embed", `{"texts":["a","b c d"],"embedding_types":["float","uint8"]}`)).Embeddings
	ranges, err := quantize.RangesOf(got.Float)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range got.Float {
		for i, x := range v {
			if got.Uint8[k][i] != ranges.Uint8(i, x) {
				t.Errorf("vector %d: %v", k, got.Uint8[k])
			}
		}
	}
	wantStatus(t, ask(s, post, "/v2/embed", `{"texts":["a"],"embedding_types":["int8"]}`), 400, "--calibration")
}

func TestCalibrationNeedsTexts(t *testing.T) {
	t.Parallel()
	p, err := ProfileNamed("")
	if err != nil {
		t.Fatal(err)
	}
	if err := New(p, Options{Calibration: []string{"one"}, Log: slog.New(slog.DiscardHandler)}).Load(tinyModel(t, &fakeRunner{})); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("one text: %v", err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	s := New(p, Options{Log: slog.New(slog.DiscardHandler)})
	h, err := s.host(tinyModel(t, &fakeRunner{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.options.Calibration = []string{"a", "b"}
	if err := s.calibrate(canceled, h); err == nil {
		t.Error("canceled")
	}
	if err := h.queue.Drain(context.Background()); err != nil {
		t.Error(err)
	}
}

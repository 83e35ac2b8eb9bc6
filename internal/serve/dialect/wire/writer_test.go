package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, f func(w *Writer)) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	f(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriterWritesJSON(t *testing.T) {
	t.Parallel()
	got := write(t, func(w *Writer) {
		w.Raw(`{"s":`)
		w.String("a\"\n\xff\u2028<é")
		w.Raw(`,"n":`)
		w.Int(-7)
		w.Raw(`,"f":`)
		w.Float64(1.23456789)
		w.Raw(`,"bad":`)
		w.Float64(math.NaN())
		w.Raw(`,"l":`)
		w.List(2, func(i int) { w.Bool(i == 0) })
		w.Raw(`,"e":`)
		w.List(0, func(int) {})
		w.Raw(`}`)
	})
	var parsed map[string]any
	if err := json.Unmarshal([]byte(got), &parsed); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if parsed["s"] != "a\"\n�\u2028<é" || parsed["f"] != 1.234568 || parsed["bad"] != nil {
		t.Errorf("got %s", got)
	}
	if want := `"l":[true,false],"e":[]}`; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end in %s", got, want)
	}
}

func TestWriterEncodesFloats(t *testing.T) {
	t.Parallel()
	v := []float32{1, -0.5, 3.25}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		want := make([]byte, 12)
		for i, f := range v {
			order.PutUint32(want[4*i:], math.Float32bits(f))
		}
		if got := write(t, func(w *Writer) { w.Elements(v, Float32, order) }); got != string(want) {
			t.Errorf("%v: got % x, want % x", order, got, want)
		}
		if got := write(t, func(w *Writer) { w.Base64(v, Float32, order) }); got != `"`+base64.StdEncoding.EncodeToString(want)+`"` {
			t.Errorf("%v: got %s", order, got)
		}
	}
}

// pieces counts what a Writer passes on, and fails after some of it.
type pieces struct {
	n, largest int
	failAfter  int
}

var errSink = errors.New("sink")

func (p *pieces) Write(b []byte) (int, error) {
	p.n++
	p.largest = max(p.largest, len(b))
	if p.n > p.failAfter {
		return 0, errSink
	}
	return len(b), nil
}

func TestWriterStreams(t *testing.T) {
	t.Parallel()
	sink := &pieces{failAfter: math.MaxInt}
	w := NewWriter(sink)
	v := slices.Repeat([]float32{0.012345678}, 1024)
	w.List(1000, func(int) { w.Vector(v) })
	if n, whole := w.Pending(); whole || n > 2*flushAt {
		t.Errorf("%d bytes are held back (all: %v)", n, whole)
	}
	if err := w.Close(); err != nil || sink.n < 20 || sink.largest > 2*flushAt {
		t.Errorf("%d pieces, the largest of %d bytes: %v", sink.n, sink.largest, err)
	}
}

func TestWriterKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	sink := &pieces{failAfter: 1}
	w := NewWriter(sink)
	v := slices.Repeat([]float32{0.012345678}, 1024)
	w.List(100, func(int) { w.Vector(v) })
	if !w.Broken() {
		t.Error("a sink that refuses must be seen")
	}
	if err := w.Close(); !errors.Is(err, errSink) || sink.n != 2 {
		t.Errorf("%v after %d pieces: nothing may follow the first error", err, sink.n)
	}
}

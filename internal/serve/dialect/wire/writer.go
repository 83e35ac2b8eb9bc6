package wire

import (
	"io"
	"math"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/decimal"
)

// flushAt is how much a Writer gathers before it passes it on: enough for the
// vectors of an ordinary request in one piece (32 of 384 values take 150 KB).
const flushAt = 256 << 10

// Writer gathers an answer and passes it on in large pieces, so that an answer
// of any size takes bounded memory. Its errors are those of the sink, kept
// until Close; writing after one does nothing.
type Writer struct {
	sink    io.Writer
	buf     []byte
	flushed bool
	err     error
}

var writers = sync.Pool{New: func() any { return new(Writer) }}

// NewWriter returns a Writer to sink. Close gives it back.
func NewWriter(sink io.Writer) *Writer {
	w := writers.Get().(*Writer)
	w.sink = sink
	return w
}

// Close passes on what is left and returns the first error of the sink. The
// Writer must not be used afterwards.
func (w *Writer) Close() error {
	w.flush()
	err := w.err
	*w = Writer{buf: w.buf[:0]}
	if cap(w.buf) <= 2*flushAt { // one huge answer must not stay in memory
		writers.Put(w)
	}
	return err
}

// Pending is the number of bytes gathered and whether that is the whole answer
// so far: a caller that knows both can still set a length.
func (w *Writer) Pending() (n int, whole bool) { return len(w.buf), !w.flushed }

// Broken tells that the sink refused: who writes much may stop.
func (w *Writer) Broken() bool { return w.err != nil }

func (w *Writer) flush() {
	if len(w.buf) > 0 && w.err == nil {
		w.flushed = true
		_, w.err = w.sink.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

func (w *Writer) flushIfFull() {
	if len(w.buf) >= flushAt {
		w.flush()
	}
}

// Raw writes s as it is.
func (w *Writer) Raw(s string) { w.buf = append(w.buf, s...) }

// Bytes writes b as it is.
func (w *Writer) Bytes(b []byte) {
	w.buf = append(w.buf, b...)
	w.flushIfFull()
}

// String writes s as a JSON string; what is not UTF-8 becomes U+FFFD.
func (w *Writer) String(s string) {
	w.buf, _ = jsontext.AppendQuote(w.buf, s)
	w.flushIfFull()
}

// Int writes an integer.
func (w *Writer) Int(n int) { w.buf = strconv.AppendInt(w.buf, int64(n), 10) }

// Bool writes true or false.
func (w *Writer) Bool(b bool) { w.buf = strconv.AppendBool(w.buf, b) }

// Float writes f as decimal.Append does.
func (w *Writer) Float(f float32) { w.buf = decimal.Append(w.buf, f) }

// Float64 writes f to at most six decimals: for times and means, where more
// would pretend.
func (w *Writer) Float64(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.Raw("null")
		return
	}
	f = math.Round(f*1e6) / 1e6
	w.buf = strconv.AppendFloat(w.buf, f, 'f', -1, 64)
}

// Vector writes v as a JSON array.
func (w *Writer) Vector(v []float32) {
	w.buf = decimal.AppendVector(w.buf, v)
	w.flushIfFull()
}

// List writes n elements between brackets, separated by commas.
func (w *Writer) List(n int, element func(i int)) {
	w.Raw("[")
	for i := range n {
		if i > 0 {
			w.Raw(",")
		}
		element(i)
	}
	w.Raw("]")
	w.flushIfFull()
}

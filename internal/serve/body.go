package serve

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// keepBody is the largest buffer that is kept for the next request.
const keepBody = 1 << 20

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody reads a request's whole body, unpacked if it came packed. What it
// returns is valid until release.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (data []byte, release func(), failed *dialect.Error) {
	limit := s.profile.Limits.Body
	if limit > 0 && r.ContentLength > limit {
		return nil, func() {}, tooLarge(limit)
	}
	source := io.Reader(r.Body)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "deflate":
		unpacked, err := unpack(encoding, source)
		if err != nil {
			return nil, func() {}, dialect.Errorf(dialect.Syntax, "", "the body is not %s as its Content-Encoding says: %v", encoding, err)
		}
		source = unpacked
	default:
		return nil, func() {}, dialect.Errorf(dialect.Encoding, "", "Content-Encoding %q is not known here: send gzip, deflate or none", encoding)
	}
	buffer := bodies.Get().(*bytes.Buffer)
	held := &holder{gate: &s.gate, source: source, left: limit}
	if limit <= 0 {
		held.left = 1<<63 - 1
	}
	release = func() {
		s.gate.drop(held.bytes)
		if buffer.Reset(); buffer.Cap() <= keepBody {
			bodies.Put(buffer)
		}
	}
	_, err := buffer.ReadFrom(held)
	switch {
	case held.refused != nil:
		return nil, release, held.refused
	case errors.Is(err, errTooLarge):
		w.Header().Set("Connection", "close") // the rest is not read
		return nil, release, tooLarge(limit)
	case err != nil:
		return nil, release, dialect.Errorf(dialect.Syntax, "", "the body ended early: %v", err)
	}
	return buffer.Bytes(), release, nil
}

// unpack reads what gzip or HTTP's deflate, which is zlib's format, has packed.
func unpack(encoding string, packed io.Reader) (io.Reader, error) {
	if encoding == "gzip" {
		return gzip.NewReader(packed)
	}
	return zlib.NewReader(packed)
}

func tooLarge(limit int64) *dialect.Error {
	return &dialect.Error{Kind: dialect.TooLarge, Message: fmt.Sprintf("the body is larger than %d bytes: send fewer inputs at a time, or raise --payload-limit", limit)}
}

var errTooLarge = errors.New("body too large")

// holder reads from source, holding room in the gate for every byte before it
// takes memory, and stops one byte past the limit.
type holder struct {
	gate    *gate
	source  io.Reader
	left    int64 // of the limit
	bytes   int64 // held
	refused *dialect.Error
}

func (h *holder) Read(b []byte) (int, error) {
	if h.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(b)) > h.left {
		b = b[:h.left+1]
	}
	n, err := h.source.Read(b)
	h.left -= int64(n)
	if h.refused = h.gate.hold(int64(n)); h.refused != nil {
		return 0, h.refused
	}
	h.bytes += int64(n)
	if h.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

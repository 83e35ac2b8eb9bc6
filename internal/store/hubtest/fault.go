package hubtest

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Fault is one way to fail, for the next request that fits. With a Status it is
// an answer; otherwise the true answer is cut, held or changed after so many
// bytes of its body.
type Fault struct {
	Status     int
	RetryAfter string
	After      int  // bytes of the body that still come
	Stall      bool // then silence, instead of a cut
	Corrupt    bool // the body's first byte is changed, and nothing else
	NoRange    bool // the range is ignored: the whole file from its start
	hold       *Hold
}

type scripted struct {
	method, suffix string
	storage        bool
	fault          Fault
}

// FailHub makes the next request to the hub with that method and end of path
// fail. Faults for the same path are used in the order they were given.
func (h *Hub) FailHub(method, suffix string, faults ...Fault) {
	h.script(method, suffix, false, faults)
}

// FailStorage does the same at the storage host.
func (h *Hub) FailStorage(method, suffix string, faults ...Fault) {
	h.script(method, suffix, true, faults)
}

func (h *Hub) script(method, suffix string, storage bool, faults []Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range faults {
		h.faults = append(h.faults, &scripted{method, suffix, storage, f})
	}
}

// takeFault removes and returns the first fault that fits; h.mu is held.
func (h *Hub) takeFault(r *http.Request, storage bool) *Fault {
	for i, s := range h.faults {
		if s.storage == storage && s.method == r.Method && strings.HasSuffix(r.URL.Path, s.suffix) {
			h.faults = append(h.faults[:i], h.faults[i+1:]...)
			return &s.fault
		}
	}
	return nil
}

func (f *Fault) answer(h *Hub, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if f.Status != 0 {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		fail(w, f.Status, "")
		return
	}
	if f.NoRange {
		r.Header.Del("Range")
		next(w, r)
		return
	}
	next(&faulty{ResponseWriter: w, fault: *f, left: f.After, request: r, closing: h.closing}, r)
}

// faulty passes a body on until its fault strikes.
type faulty struct {
	http.ResponseWriter
	fault   Fault
	left    int
	request *http.Request
	closing <-chan struct{}
}

func (f *faulty) Write(p []byte) (int, error) {
	if f.fault.Corrupt {
		changed := append([]byte{p[0] ^ 1}, p[1:]...)
		f.fault.Corrupt, f.left = false, math.MaxInt
		return f.ResponseWriter.Write(changed)
	}
	if len(p) <= f.left {
		f.left -= len(p)
		return f.ResponseWriter.Write(p)
	}
	n, _ := f.ResponseWriter.Write(p[:f.left])
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	if hold := f.fault.hold; hold != nil {
		close(hold.Reached)
		f.pause(hold.release)
		f.fault.hold, f.left = nil, math.MaxInt
		m, err := f.ResponseWriter.Write(p[n:])
		return n + m, err
	}
	if f.fault.Stall {
		f.pause(nil)
	}
	panic(http.ErrAbortHandler) // closes the connection without an end of the body
}

// pause waits for the release, the client's leaving or the end of the test.
func (f *faulty) pause(release <-chan struct{}) {
	select {
	case <-release:
	case <-f.request.Context().Done():
	case <-f.closing:
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func unescape(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return plain
}

// Hold is an answer that the storage host has begun and does not go on with.
type Hold struct {
	Reached chan struct{} // closed when the answer has come that far
	release chan struct{}
}

// Release lets the answer go on.
func (h *Hold) Release() { close(h.release) }

// HoldStorage keeps the next answer of the storage host to a request with that
// method and end of path after so many bytes of its body, until it is released.
func (h *Hub) HoldStorage(method, suffix string, after int) *Hold {
	hold := &Hold{make(chan struct{}), make(chan struct{})}
	h.FailStorage(method, suffix, Fault{After: after, hold: hold})
	return hold
}

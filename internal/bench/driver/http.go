package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"
)

// overHTTP drives a codec over HTTP/1.1.
type overHTTP struct {
	codec
	head    []byte // the request's head up to Content-Length's value
	dial    func(ctx context.Context) (net.Conn, error)
	timeout time.Duration
	learned

	mu   sync.Mutex
	idle []*conn // the last used on top, so that few connections serve few clients
}

func newHTTP(c codec, base string, o Options) (*overHTTP, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("URL %q: want http://host:port or https://host:port", base)
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	if !strings.HasSuffix(path, c.route()) {
		path += c.route()
	}
	header := http.Header{"Host": {u.Host}, "Content-Type": {"application/json"}, "User-Agent": {"paceline"}}
	for name, values := range o.Header {
		header[name] = values
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\n", path)
	if err := header.Write(&head); err != nil {
		return nil, err
	}
	head.WriteString("Content-Length: ")
	dial := o.Dial
	if dial == nil {
		dial = dialer(u)
	}
	return &overHTTP{codec: c, head: head.Bytes(), dial: dial, timeout: o.Timeout}, nil
}

// Door names the API in words.
func (h *overHTTP) Door() string { return h.door() }

// Prepare encodes the whole request, head and body, so that sending it is one write.
func (h *overHTTP) Prepare(texts []string) (*Request, error) {
	body, err := h.body(texts)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", english.Plural(len(texts), "text", ""), err)
	}
	wire := fmt.Appendf(bytes.Clone(h.head), "%d\r\n", len(body))
	if f, ok := h.codec.(framed); ok {
		wire = append(append(wire, f.header(body)...), "\r\n"...)
	}
	wire = append(wire, "\r\n"...)
	return &Request{Texts: len(texts), wire: append(wire, body...)}, nil
}

// Send checks the reply's shape.
func (h *overHTTP) Send(ctx context.Context, r *Request) Reply {
	return h.exchange(ctx, r, func(body []byte) error {
		s, err := h.shape(body)
		if err != nil {
			return err
		}
		return h.check(s, r.Texts)
	})
}

// Embed decodes the reply.
func (h *overHTTP) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	r, err := h.Prepare(texts)
	if err != nil {
		return nil, err
	}
	reply := h.exchange(ctx, r, func(body []byte) error {
		var err error
		if vectors, err = h.decode(body); err != nil {
			return err
		}
		return h.checkVectors(vectors, len(texts))
	})
	return h.learn(vectors, reply)
}

// exchange sends a request and hands the body of a 200 to read, which must not
// keep it.
func (h *overHTTP) exchange(ctx context.Context, r *Request, read func(body []byte) error) Reply {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	c, status, body, err := h.roundTrip(ctx, r.wire)
	if err != nil {
		return failed(ctx, err)
	}
	defer h.put(c)
	if status != http.StatusOK {
		return refusal(status, body)
	}
	reply := judged(read(body))
	if reply.Outcome == OK {
		reply.Times = timesOf(c.header)
	}
	return reply
}

// roundTrip uses an idle connection if there is one. A service may close a
// connection that lay idle just as it is used again; then, and only then, the
// request goes out a second time.
func (h *overHTTP) roundTrip(ctx context.Context, wire []byte) (c *conn, status int, body []byte, err error) {
	for {
		c = h.take()
		if c == nil {
			break
		}
		status, body, err = c.roundTrip(ctx, wire)
		if err == nil {
			return c, status, body, nil
		}
		c.close()
		if !errors.Is(err, errIdleClosed) {
			return nil, 0, nil, err
		}
	}
	network, err := h.dial(ctx)
	if err != nil {
		return nil, 0, nil, &refusedError{err}
	}
	c = newConn(network)
	if status, body, err = c.roundTrip(ctx, wire); err != nil {
		c.close()
		return nil, 0, nil, err
	}
	return c, status, body, nil
}

func (h *overHTTP) take() *conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.idle) == 0 {
		return nil
	}
	c := h.idle[len(h.idle)-1]
	h.idle = h.idle[:len(h.idle)-1]
	return c
}

func (h *overHTTP) put(c *conn) {
	if !c.reusable {
		c.close()
		return
	}
	h.mu.Lock()
	h.idle = append(h.idle, c)
	h.mu.Unlock()
}

// Close ends the idle connections; the driver may be used again.
func (h *overHTTP) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.idle {
		c.close()
	}
	h.idle = nil
}

// refusedError is a connection that could not be made.
type refusedError struct{ error }

func (e *refusedError) Unwrap() error { return e.error }

func failed(ctx context.Context, err error) Reply {
	var refused *refusedError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Reply{Outcome: Canceled}
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return Reply{Outcome: Timeout, Detail: err.Error()}
	case errors.As(err, &refused):
		return Reply{Outcome: Refused, Detail: err.Error()}
	case errors.Is(err, errMalformed):
		return Reply{Outcome: Malformed, Detail: err.Error()}
	}
	return Reply{Outcome: Reset, Detail: err.Error()}
}

func refusal(status int, body []byte) Reply {
	detail := fmt.Sprintf("%d: %s", status, cut(body))
	switch {
	case status == http.StatusTooManyRequests:
		return Reply{Outcome: Overloaded, Detail: detail}
	case status >= 400 && status < 500:
		return Reply{Outcome: Client4xx, Detail: detail}
	case status >= 500:
		return Reply{Outcome: Server5xx, Detail: detail}
	}
	return Reply{Outcome: Malformed, Detail: detail}
}

func judged(err error) Reply {
	var m *mismatch
	switch {
	case err == nil:
		return Reply{Outcome: OK}
	case errors.As(err, &m):
		return Reply{Outcome: m.outcome, Detail: m.text}
	case errors.Is(err, errNaN):
		return Reply{Outcome: NaN, Detail: err.Error()}
	}
	return Reply{Outcome: Malformed, Detail: err.Error()}
}

// cut keeps enough of a service's error message to understand it.
func cut(body []byte) string {
	const enough = 300
	s := strings.ToValidUTF8(string(body[:min(len(body), enough)]), "")
	return strings.Join(strings.Fields(s), " ")
}

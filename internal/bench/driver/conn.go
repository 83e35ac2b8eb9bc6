package driver

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// conn is one keep-alive connection with the buffers that its replies reuse.
// One goroutine writes and reads it: no hand-over between goroutines lies in
// the time that is measured, and none is paid for in the client's CPU.
type conn struct {
	net      net.Conn
	reader   *bufio.Reader
	body     []byte
	header   http.Header // of the last reply
	used     bool        // a reply came through it before
	reusable bool        // it may carry another request
}

// maxReply bounds the memory that a service can make the client spend.
const maxReply = 256 << 20

// errIdleClosed is a kept connection that the service closed before it said
// anything to this request.
var errIdleClosed = errors.New("the service closed an idle connection")

func newConn(c net.Conn) *conn {
	return &conn{net: c, reader: bufio.NewReaderSize(c, 8<<10)}
}

// roundTrip writes the request and reads the reply. The body is valid until the
// next call. A context that ends breaks the connection.
func (c *conn) roundTrip(ctx context.Context, wire []byte) (status int, body []byte, err error) {
	c.reusable = false
	deadline, _ := ctx.Deadline()
	if err := c.net.SetDeadline(deadline); err != nil {
		return 0, nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.net.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, writeErr := c.net.Write(wire)
	// A service that refuses a large request may answer and close before it has
	// read all of it: its answer is worth more than our failure to write.
	if _, err := c.reader.Peek(1); err != nil {
		return 0, nil, c.silent(ctx, writeErr, err)
	}
	return c.read(writeErr)
}

func (c *conn) silent(ctx context.Context, writeErr, readErr error) error {
	if c.used && ctx.Err() == nil && !isTimeout(readErr) {
		return errIdleClosed
	}
	if writeErr != nil {
		return writeErr
	}
	return fmt.Errorf("no reply: %w", readErr)
}

func (c *conn) read(writeErr error) (status int, body []byte, err error) {
	reply, err := http.ReadResponse(c.reader, nil)
	for err == nil && reply.StatusCode < 200 { // 100 Continue, 103 Early Hints
		reply, err = http.ReadResponse(c.reader, nil)
	}
	if err != nil {
		return 0, nil, classify(err)
	}
	c.body, err = readInto(c.body[:0], reply.Body, reply.ContentLength)
	if err != nil {
		return 0, nil, err
	}
	c.used, c.header = true, reply.Header
	c.reusable = writeErr == nil && !reply.Close
	return reply.StatusCode, c.body, nil
}

// classify tells a peer that speaks something else from one that went away.
func classify(err error) error {
	var network net.Error
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return err
	}
	return fmt.Errorf("%w: %w", errMalformed, err)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// readInto reads all of r into b, growing it once if the length is known.
func readInto(b []byte, r io.Reader, length int64) ([]byte, error) {
	if length > maxReply {
		return b, fmt.Errorf("%w: a body of %d bytes, the limit is %d", errMalformed, length, maxReply)
	}
	if need := int(length) + 1; need > cap(b) {
		b = make([]byte, 0, need)
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case len(b) > maxReply:
			return b, fmt.Errorf("%w: a body of more than %d bytes", errMalformed, maxReply)
		}
	}
}

func (c *conn) close() { c.net.Close() }

// dialLimit is how long a host may take to accept a connection.
const dialLimit = 5 * time.Second

// dialer connects to the URL's host, with TLS for https.
func dialer(u *url.URL) func(ctx context.Context) (net.Conn, error) {
	address := net.JoinHostPort(u.Hostname(), port(u))
	if u.Scheme == "https" {
		d := &tls.Dialer{NetDialer: &net.Dialer{Timeout: dialLimit}, Config: &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}}}
		return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	d := net.Dialer{Timeout: dialLimit}
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

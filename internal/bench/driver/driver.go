// Package driver speaks the APIs of embedding services as a measuring client
// does: requests are encoded before the clock starts, replies are checked (how
// many vectors, of which dimension, finite) and failures are classified.
//
// A driver does not know when requests are sent or what their times mean (load
// does), nor which software answers. One conformance suite runs against every
// driver. Invariants: a request is sent once (the one exception is a
// connection that the service had closed while it was idle); a reply counts as
// a success only if every vector that was asked for is in it.
package driver

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Outcome is how a request ended, in the words of the result files.
type Outcome string

// The outcomes. Every one but OK is a failure of the service as its user sees it,
// except Canceled: the client itself gave up, and the request proves nothing.
const (
	OK         Outcome = "ok"
	Refused    Outcome = "refused"     // no connection
	Reset      Outcome = "reset"       // the connection broke before the whole reply was there
	Timeout    Outcome = "timeout"     // no whole reply within the limit
	Overloaded Outcome = "429"         // the service said that it has too much to do
	Client4xx  Outcome = "4xx"         // any other 4xx
	Server5xx  Outcome = "5xx"         // 5xx
	Malformed  Outcome = "malformed"   // not a reply of this dialect
	WrongCount Outcome = "wrong_count" // more or fewer vectors than texts
	WrongDim   Outcome = "wrong_dim"   // vectors of another dimension, or of several
	NaN        Outcome = "nan"         // a value that is no finite number
	Canceled   Outcome = "canceled"    // the run was ended
)

// Reply is what became of one request.
type Reply struct {
	Outcome Outcome
	Detail  string // what the service or the system said, cut short; empty for OK
	Times   Times  // where the service says that the time went, of an OK
}

// Request is encoded once and may be sent many times, concurrently too.
type Request struct {
	Texts int // vectors that the reply must hold
	wire  []byte
}

// Size is the number of bytes that go out, framing included.
func (r *Request) Size() int { return len(r.wire) }

// Driver sends requests of one dialect to one service. All methods may be
// called concurrently; each concurrent Send has a connection of its own, which
// is kept for the next.
type Driver interface {
	// Door names the API and the encoding in words, for the report.
	Door() string
	// Prepare encodes a request for the vectors of texts.
	Prepare(texts []string) (*Request, error)
	// Send waits for the reply and checks its shape without decoding it.
	Send(ctx context.Context, r *Request) Reply
	// Embed decodes the vectors in full. Its first success teaches the driver
	// the dimension that Send then demands. An error wraps Failure.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	// Close ends the idle connections.
	Close()
}

// Failure is the error of an Embed that did not succeed.
type Failure struct{ Reply }

// Error tells the outcome and what the service said.
func (f *Failure) Error() string {
	if f.Detail == "" {
		return string(f.Outcome)
	}
	return string(f.Outcome) + ": " + f.Detail
}

// Options tell a driver what the URL does not.
type Options struct {
	Model   string        // the model's name, for dialects that ask for one
	Timeout time.Duration // for a whole request; 0: a minute
	Header  http.Header   // sent with every request, such as Authorization
	// Dial makes the connections of dialects over HTTP; nil: TCP to the URL's host, with
	// TLS for https.
	Dial func(ctx context.Context) (net.Conn, error)
}

// dialects are the codecs by the name that flags use.
var dialects = map[string]func(model string) codec{
	"fastapi":       func(string) codec { return fastapi{} },
	"poc":           func(string) codec { return poc{} },
	"tei":           func(string) codec { return tei{} },
	"openai":        func(model string) codec { return openai{model: model} },
	"kserve-http":   func(model string) codec { return kserveHTTP{cmp.Or(model, pipelineModel)} },
	"openai-base64": func(model string) codec { return openai{model: model, base64: true} },
}

// Dialects lists the names that Open knows, sorted.
func Dialects() []string {
	return slices.Sorted(func(yield func(string) bool) {
		if yield(kserveGRPCDialect) {
			maps.Keys(dialects)(yield)
		}
	})
}

// kserveGRPCDialect is the one that is not a codec over HTTP/1.1.
const kserveGRPCDialect = "kserve-grpc"

// Open makes a driver for the service at base, such as http://127.0.0.1:8000.
// It sends nothing yet, so the service need not be up.
func Open(dialect, base string, o Options) (Driver, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if dialect == kserveGRPCDialect {
		return newKServeGRPC(base, o)
	}
	make, known := dialects[dialect]
	if !known {
		return nil, fmt.Errorf("unknown dialect %q: one of %s", dialect, strings.Join(Dialects(), ", "))
	}
	return newHTTP(make(o.Model), base, o)
}

package serve

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// exchange is one request and its answer under way. As the sink of the answer's
// Writer it sends the header before the first byte.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	route   dialect.Route
	began   time.Time
	model   string // that was asked for; "" until that is known
	answer  dialect.Answer
	times   *dialect.Times // where the time went, once that is known
	writing time.Duration  // spent on encoding; known if the answer came out in one piece
	length  int            // of the whole answer, or -1
	sent    bool           // the header has gone out
}

// writeTimeout is how long a client may take to accept one piece of an answer.
const writeTimeout = 60 * time.Second

// respond has the answer written by encode and sent.
func (x *exchange) respond(encode func(a *dialect.Answer)) error {
	x.answer = dialect.Answer{Writer: wire.NewWriter(x), Status: http.StatusOK}
	x.length = -1
	began := time.Now()
	encode(&x.answer)
	if n, whole := x.answer.Pending(); whole {
		x.length, x.writing = n, time.Since(began)
	}
	err := x.answer.Close()
	if !x.sent { // an answer without a body
		x.sendHeader()
	}
	return err
}

// Write sends a piece of the answer.
func (x *exchange) Write(b []byte) (int, error) {
	if !x.sent {
		x.sendHeader()
	}
	// A recorder in a test has no deadline to set.
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(writeTimeout))
	return x.w.Write(b)
}

func (x *exchange) sendHeader() {
	x.sent = true
	h := x.w.Header()
	if x.length != 0 {
		h["Content-Type"] = jsonType
	}
	for name, value := range x.answer.Header {
		h.Set(name, value)
	}
	if x.length >= 0 {
		h["Content-Length"] = []string{strconv.Itoa(x.length)}
	}
	if x.times != nil {
		h["Server-Timing"] = []string{x.serverTiming()}
	}
	x.w.WriteHeader(x.answer.Status)
}

var jsonType = []string{"application/json"}

// serverTiming is the header of that name (W3C Server Timing), in milliseconds.
// An answer that is streamed goes out before its encoding has been timed.
func (x *exchange) serverTiming() string {
	b := make([]byte, 0, 96)
	entry := func(name string, d time.Duration) {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(append(b, name...), ";dur="...)
		b = strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', 3, 64)
	}
	entry("tokenise", x.times.Tokenize)
	entry("queue", x.times.Queue)
	entry("inference", x.times.Inference)
	if x.length >= 0 {
		entry("serialise", x.writing)
	}
	entry("total", time.Since(x.began)) // from the first look at the request on: reading and finishing are in it alone
	return string(b)
}

// fail answers with an error in the words of the exchange's dialect.
func (s *Server) fail(x *exchange, e *dialect.Error) {
	if x.sent {
		panic(http.ErrAbortHandler) // half an answer is out: cut the connection
	}
	if e.RetryAfter > 0 {
		seconds := max(1, int((e.RetryAfter+time.Second-1)/time.Second))
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	s.metrics.failed(cmp.Or(x.model, s.modelName()), e.Kind)
	x.times = nil
	_ = x.respond(func(a *dialect.Answer) { x.route.Fail(a, e) }) // a client that has left needs no error
}

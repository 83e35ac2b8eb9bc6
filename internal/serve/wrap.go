package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// requestIDHeader names a request in logs and answers; a client may choose it.
const requestIDHeader = "X-Request-Id"

// maxRequestID is the longest id that is taken over from a client.
const maxRequestID = 128

// wrap puts around all routes what does not depend on them: the request's id,
// cross-origin rules, the access log, and a net under panics.
func (s *Server) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()[requestIDHeader] = []string{requestID(r)}
		// What an earlier answer on this connection set must not end this one; a
		// recorder in a test has no deadline.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		if len(s.options.Origins) > 0 && s.crossOrigin(w, r) {
			return
		}
		recorder := &statusRecorder{ResponseWriter: w}
		defer s.recover(recorder, r)
		if s.log.Enabled(r.Context(), slog.LevelDebug) {
			began := time.Now()
			defer func() {
				s.log.Debug("request", "id", w.Header().Get(requestIDHeader), "method", r.Method, "path", r.URL.Path,
					"status", recorder.status, "bytes", recorder.bytes, "took", time.Since(began), "from", r.RemoteAddr)
			}()
		}
		next.ServeHTTP(recorder, r)
	})
}

func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); id != "" && len(id) <= maxRequestID && printable(id) {
		return id
	}
	var b [16]byte
	for i := 0; i < len(b); i += 8 {
		n := rand.Uint64()
		for j := range 8 {
			b[i+j] = byte(n >> (8 * j))
		}
	}
	return hex.EncodeToString(b[:])
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}

// crossOrigin lets browsers of the allowed origins in; done tells that the
// request was only a question about that.
func (s *Server) crossOrigin(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	any := slices.Contains(s.options.Origins, "*")
	if origin == "" || !any && !slices.Contains(s.options.Origins, origin) {
		return false
	}
	h := w.Header()
	if any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	if r.Method != http.MethodOptions {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// recover turns a panic of a handler into status 500 and a line in the log.
func (s *Server) recover(w *statusRecorder, r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if reason == http.ErrAbortHandler {
		panic(reason) // net/http's own way to cut a connection
	}
	s.log.Error("panic", "path", r.URL.Path, "id", w.Header().Get(requestIDHeader), "reason", reason, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	x := &exchange{w: w, r: r, route: dialect.Route{Fail: s.profile.fail()}}
	s.fail(x, dialect.Errorf(dialect.Internal, "", "a fault of the server's; its log has it under id %s", w.Header().Get(requestIDHeader)))
}

// authorized tells whether a request bears the API key, if one is wanted.
func (s *Server) authorized(r *http.Request) bool {
	return s.Authorized(r.Header.Get("Authorization"))
}

// Authorized judges the value of an Authorization header. It takes the same time
// whatever is wrong.
func (s *Server) Authorized(authorization string) bool {
	if s.options.APIKey == "" {
		return true
	}
	scheme, key, _ := strings.Cut(authorization, " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(key)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], s.key[:]) == 1
}

// statusRecorder notes what was sent.
type statusRecorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusRecorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusRecorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

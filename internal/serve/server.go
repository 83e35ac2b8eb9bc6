package serve

import (
	"crypto/sha256"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paceline/paceline/internal/batch"
)

// Options of a server that are not its profile's.
type Options struct {
	Version string
	Queue   batch.Options // Observe is the server's own
	APIKey  string        // unless empty, what requests must bear
	Origins []string      // that browsers may call from (CORS); "*" is any
	Log     *slog.Logger  // nil is slog.Default()
	Drain   time.Duration // how long a shutdown waits for what was accepted; default 30 s

	Calibration []string // texts whose embeddings give int8 and uint8 their ranges; at most MaxCalibration

	Prompt     string // put before inputs whose request names no prompt
	PromptName string // or the model's prompt of that name

	ModelMemory int64 // bytes that models may take together; 0 is no limit
}

// Server answers requests. Until Load or Offer it is alive but not ready.
type Server struct {
	profile Profile
	options Options
	log     *slog.Logger
	key     [sha256.Size]byte
	metrics *metrics
	gate    gate
	models  atomic.Pointer[offer] // nil until then
	closing atomic.Bool
	mux     *http.ServeMux
	beside  *Extension // unless nil
	handler http.Handler
	watch   *http.ServeMux // of a Door that only watches
	openAPI func() []byte
}

// New makes a server without a model.
func New(p Profile, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Drain == 0 {
		o.Drain = 30 * time.Second
	}
	s := &Server{
		profile: p, options: o, log: o.Log,
		key:  sha256.Sum256([]byte(o.APIKey)),
		gate: gate{requests: int64(p.Limits.Concurrent), bytes: p.Limits.Bodies},
	}
	s.openAPI = sync.OnceValue(func() []byte { return mergeOpenAPI(p.Dialects, s.beside, o.Version) })
	s.metrics = newMetrics(s.queueStats)
	s.metrics.registry.MustRegister(s.modelMetrics()...)
	s.handler = s.routes()
	s.watch = s.watchRoutes()
	return s
}

// Handler answers HTTP requests.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) ready() bool {
	if s.closing.Load() || s.beside != nil && !s.beside.Ready() {
		return false
	}
	return s.models.Load() != nil || s.beside != nil && s.beside.Alone
}

// modelName labels metrics of what belongs to no model in particular; "" before
// there is one.
func (s *Server) modelName() string {
	if o := s.models.Load(); o != nil {
		return o.list[0].Name
	}
	return ""
}

func (s *Server) queueStats() batch.Stats {
	if o := s.models.Load(); o != nil {
		return o.stats()
	}
	return batch.Stats{}
}

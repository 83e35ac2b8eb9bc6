package serve

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
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

	Prompt     string // put before inputs whose request names no prompt
	PromptName string // or the model's prompt of that name
}

// Server answers requests. Until Load it is alive but not ready.
type Server struct {
	profile Profile
	options Options
	log     *slog.Logger
	key     [sha256.Size]byte
	metrics *metrics
	gate    gate
	model   atomic.Pointer[hosted]
	closing atomic.Bool
	mux     *http.ServeMux
	beside  *Extension // unless nil
	handler http.Handler
	watch   http.Handler // of a Door that only watches
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
		key:     sha256.Sum256([]byte(o.APIKey)),
		gate:    gate{requests: int64(p.Limits.Concurrent), bytes: p.Limits.Bodies},
		openAPI: sync.OnceValue(func() []byte { return mergeOpenAPI(p.Dialects, o.Version) }),
	}
	s.metrics = newMetrics(s.queueStats)
	s.handler = s.routes()
	s.watch = s.watchRoutes()
	return s
}

// Load gives the server its model. From then on it is ready. The error is a
// default prompt that the model does not have.
func (s *Server) Load(m Model) error {
	if name := s.options.PromptName; name != "" {
		prompt, ok := m.Pipeline.Prompts()[name]
		if !ok {
			return fmt.Errorf("default prompt %q: the model %s has no prompt of that name (it has %q)",
				name, m.Name, slices.Sorted(maps.Keys(m.Pipeline.Prompts())))
		}
		s.options.Prompt = prompt
	}
	s.model.Store(s.host(m))
	return nil
}

// Handler answers HTTP requests.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) ready() bool {
	if s.closing.Load() || s.beside != nil && !s.beside.Ready() {
		return false
	}
	return s.model.Load() != nil || s.beside != nil && s.beside.Alone
}

// modelName labels metrics; "" before there is a model.
func (s *Server) modelName() string {
	if h := s.model.Load(); h != nil {
		return h.Name
	}
	return ""
}

func (s *Server) queueStats() batch.Stats {
	if h := s.model.Load(); h != nil {
		return h.queue.Stats()
	}
	return batch.Stats{}
}

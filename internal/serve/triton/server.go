package triton

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paceline/paceline/internal/batch"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// Repository is where models are described.
type Repository interface {
	List() ([]string, error)
	Broken() ([]string, error) // links that lead nowhere
	Read(name string) (*modelrepo.Model, error)
	ReadWith(name string, config *pb.ModelConfig) (*modelrepo.Model, error)
	Modified(name string) (time.Time, error)
}

// Opened is a model that is ready to run.
type Opened struct {
	Pipeline *pipeline.Pipeline
	Runner   batch.Runner
	Width    int // values in a vector of the engine, before the pipeline cuts it
	Close    func() error
}

// Admission is what the server around does for every API.
type Admission interface {
	// Enter lets one request in until leave is called.
	Enter() (leave func(), refused *dialect.Error)
	// ReadBody reads a request's body, unpacked; it is valid until release.
	ReadBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), refused *dialect.Error)
	// Authorized judges the value of an Authorization header.
	Authorized(authorization string) bool
	// Explain gives errors of pipeline and queue their kind.
	Explain(err error) *dialect.Error
}

// Control says who decides which models are loaded.
type Control string

// The model control modes of the reference server.
const (
	ControlNone     Control = "none"     // all, once
	ControlPoll     Control = "poll"     // all, and what changes in the repository
	ControlExplicit Control = "explicit" // those that Options.Load names, and what clients ask for
)

// Source is where models come from.
type Source struct {
	Repository Repository
	Root       string // the repository's folder, for models that name theirs relative to it; "" for none
	// Open opens the model of that name or folder.
	Open func(ctx context.Context, name string) (*Opened, error)
}

// Options of a server.
type Options struct {
	Version   string
	Admission Admission
	Queue     batch.Options
	Log       *slog.Logger
	Logging   *Logging // what clients set of the log; nil: nothing comes of it

	Control Control
	Load    []string      // ControlExplicit: what to load at the start; "*" is everything
	Poll    time.Duration // ControlPoll: how often to look
	Strict  bool          // a setting that cannot be kept is an error, not a warning
	Message int           // bytes of the largest gRPC message taken
}

// Server serves models.
type Server struct {
	options  Options
	log      *slog.Logger
	loading  sync.Mutex // one load or unload at a time
	closing  atomic.Bool
	started  atomic.Bool
	retiring sync.WaitGroup // versions that answer their last requests

	source   atomic.Pointer[Source] // nil until Start
	broken   []string               // links of the repository that have been warned of: Start's, then Watch's
	stopping chan struct{}          // closed when the shutdown begins: streams end, the server is not ready

	mu     sync.RWMutex
	models map[string]*entry
	change chan struct{} // closed when models come and go, and then another

	tracing tracing
}

// New makes a server without models.
func New(o Options) *Server {
	if o.Logging == nil {
		o.Logging = NewLogging(slog.DiscardHandler, slog.LevelInfo)
	}
	return &Server{options: o, log: o.Log, models: map[string]*entry{}, stopping: make(chan struct{}), change: make(chan struct{})}
}

// Ready tells whether the models that the start named are loaded, and the server
// has not been told to stop.
func (s *Server) Ready() bool {
	select {
	case <-s.stopping:
		return false
	default:
		return s.started.Load() && !s.closing.Load()
	}
}

// changed tells whoever watches health that something may have changed; the caller
// holds mu.
func (s *Server) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// next is closed when something has changed.
func (s *Server) next() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.change
}

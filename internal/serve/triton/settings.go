package triton

import (
	"fmt"
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// What the trace and logging extensions answer: the reference server's settings
// at its defaults. They can be read; changing one is refused, since nothing here
// would follow it.
var (
	traceSettings = []setting{
		{"trace_file", ""}, {"trace_level", "OFF"}, {"trace_rate", "1000"}, {"trace_count", "-1"}, {"log_frequency", "0"}, {"trace_mode", "triton"},
	}
	logSettings = []setting{
		{"log_file", ""}, {"log_info", true}, {"log_warning", true}, {"log_error", true}, {"log_verbose_level", uint32(0)}, {"log_format", "default"},
	}
)

type setting struct {
	name  string
	value any // string, bool or uint32
}

func (s *Server) traceRoutes(mux *http.ServeMux, path string) {
	answer := func(w http.ResponseWriter, r *http.Request, changes bool, err error) {
		if err == nil {
			err = s.checkTrace(r.PathValue("model"), changes)
		}
		if err != nil {
			s.fail(w, err)
			return
		}
		sendJSON(w, traceJSON())
	}
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { answer(w, r, false, nil) })
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		fields, release, err := s.body(w, r)
		defer release()
		answer(w, r, err == nil && sets(fields), err)
	})
}

// sets tells whether a body sets anything: null resets to the default, which is
// what there is.
func sets(fields *wire.Body) bool {
	for name := range fields.Names() {
		if fields.Has(name) {
			return true
		}
	}
	return false
}

func traceJSON() []byte {
	b := []byte{'{'}
	for i, t := range traceSettings {
		if i > 0 {
			b = append(b, ',')
		}
		if t.name == "trace_level" {
			b = fmt.Appendf(b, "%q:[%q]", t.name, t.value)
		} else {
			b = fmt.Appendf(b, "%q:%q", t.name, t.value)
		}
	}
	return append(b, '}')
}

// checkTrace says what is wrong with a use of the trace extension for one model
// or, for "", the server.
func (s *Server) checkTrace(model string, changes bool) error {
	if model != "" {
		m, err := s.acquire(model, "")
		if err != nil {
			return err
		}
		m.users.Done()
	}
	if changes {
		return dialect.Errorf(dialect.Unavailable, "", "the server does not support tracing")
	}
	return nil
}

func (s *Server) settingRoutes(mux *http.ServeMux) {
	answer := func(w http.ResponseWriter) {
		b := []byte{'{'}
		for i, l := range logSettings {
			if i > 0 {
				b = append(b, ',')
			}
			if text, ok := l.value.(string); ok {
				b = fmt.Appendf(b, "%q:%q", l.name, text)
			} else {
				b = fmt.Appendf(b, "%q:%v", l.name, l.value)
			}
		}
		sendJSON(w, append(b, '}'))
	}
	mux.HandleFunc("GET /v2/logging", func(w http.ResponseWriter, r *http.Request) { answer(w) })
	mux.HandleFunc("POST /v2/logging", func(w http.ResponseWriter, r *http.Request) {
		fields, release, err := s.body(w, r)
		defer release()
		switch {
		case err != nil:
			s.fail(w, err)
		case sets(fields):
			s.fail(w, noLogging())
		default:
			answer(w)
		}
	})
}

func noLogging() error {
	return dialect.Errorf(dialect.Unavailable, "", "the server does not support dynamic logging: start it with --log-level and --json-output")
}

// memoryRoutes answer the shared memory extensions: there are no regions, and
// none can be made.
func (s *Server) memoryRoutes(mux *http.ServeMux) {
	for _, kind := range []string{"/v2/systemsharedmemory", "/v2/cudasharedmemory"} {
		for _, path := range []string{kind, kind + "/region/{region}"} {
			mux.HandleFunc("GET "+path+"/status", func(w http.ResponseWriter, r *http.Request) {
				if region := r.PathValue("region"); region != "" {
					s.fail(w, noRegion(region))
					return
				}
				sendJSON(w, []byte("[]"))
			})
			mux.HandleFunc("POST "+path+"/register", func(w http.ResponseWriter, r *http.Request) {
				s.fail(w, noSharedMemory(r.PathValue("region")))
			})
			mux.HandleFunc("POST "+path+"/unregister", func(w http.ResponseWriter, r *http.Request) {}) // there was none
		}
	}
}

func noRegion(name string) error {
	return dialect.Errorf(dialect.NoModel, "", "Unable to find shared memory region: '%s'", name)
}

func noSharedMemory(region string) error {
	return dialect.Errorf(dialect.Unsupported, "", "failed to register shared memory region '%s': shared memory is not supported; send tensors in the request", region)
}

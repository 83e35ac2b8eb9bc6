package triton

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// The settings of the trace extension, in the reference server's order. Clients
// may change the numbers, of the server or of one model. They cannot have
// anything traced: that takes a trace file, which no client can name, there as here.
var traceSettings = []traceSetting{
	{name: traceLevel, initial: "OFF"},
	{name: "trace_rate", initial: "1000", least: 1},
	{name: "trace_count", initial: "-1", least: -1},
	{name: "log_frequency", initial: "0"},
	{name: traceFile},
	{name: traceMode, initial: "triton"},
}

const (
	traceLevel = "trace_level"
	traceFile  = "trace_file"
	traceMode  = "trace_mode"
)

type traceSetting struct {
	name    string
	initial string
	least   int64 // of a number
}

// tracing is what clients have set: by model, "" for the server, and by setting.
type tracing struct {
	mu  sync.Mutex
	set map[string]map[string]string
}

// value is a setting as it holds for a model: its own, else the server's.
func (t *tracing) value(model string, s traceSetting) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, place := range []string{model, ""} {
		if v, ok := t.set[place][s.name]; ok {
			return v
		}
	}
	return s.initial
}

// change sets what changes has; nil is back to the server's value, or to the
// initial one. Names that are not known are left alone, as the reference server
// leaves them.
func (t *tracing) change(model string, changes map[string][]string) error {
	for _, s := range traceSettings {
		if values := changes[s.name]; len(values) > 0 {
			if err := s.check(values); err != nil {
				return err
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.set == nil {
		t.set = map[string]map[string]string{}
	}
	set := maps.Clone(t.set[model])
	if set == nil {
		set = map[string]string{}
	}
	for name, values := range changes {
		switch {
		case !isTraceNumber(name):
		case len(values) == 0:
			delete(set, name)
		default:
			set[name] = values[0]
		}
	}
	t.set[model] = set
	return nil
}

func isTraceNumber(name string) bool {
	return slices.ContainsFunc(traceSettings, func(s traceSetting) bool { return s.name == name }) &&
		name != traceLevel && name != traceFile && name != traceMode
}

func (s traceSetting) check(values []string) error {
	switch s.name {
	case traceMode: // not for clients to change, nor an error
	case traceFile:
		return dialect.Errorf(dialect.Unsupported, "", "trace file location can not be updated through network protocol")
	case traceLevel:
		for _, level := range []string{"TIMESTAMPS", "TENSORS", "MIN", "MAX"} {
			if slices.Contains(values, level) {
				return dialect.Errorf(dialect.Value, "", "Attempting to set invalid trace setting :trace file name is not given")
			}
		}
	default:
		if n, err := strconv.ParseInt(values[0], 10, 32); err != nil || n < s.least || len(values) > 1 {
			return dialect.Errorf(dialect.Value, "", "Unable to parse '%s', got: %s", s.name, values[0])
		}
	}
	return nil
}

// traceSettings changes settings of a model, or of the server for "", and tells
// how to read them.
func (s *Server) traceSettings(model string, changes map[string][]string) (value func(traceSetting) string, err error) {
	if model != "" && !s.isLoaded(model) {
		return nil, dialect.Errorf(dialect.Value, "", "Request for unknown model : %s", model)
	}
	if err := s.tracing.change(model, changes); err != nil {
		return nil, err
	}
	return func(t traceSetting) string { return s.tracing.value(model, t) }, nil
}

func (s *Server) traceRoutes(mux *http.ServeMux, path string) {
	answer := func(w http.ResponseWriter, r *http.Request, changes map[string][]string) {
		value, err := s.traceSettings(r.PathValue("model"), changes)
		if err != nil {
			s.fail(w, err)
			return
		}
		sendJSON(w, traceJSON(value))
	}
	mux.HandleFunc("GET "+path, s.numbered(func(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) }))
	mux.HandleFunc("POST "+path, s.numbered(func(w http.ResponseWriter, r *http.Request) {
		fields, release, err := s.body(w, r)
		defer release()
		var changes map[string][]string
		if err == nil {
			changes, err = traceChanges(fields)
		}
		if err != nil {
			s.fail(w, err)
			return
		}
		answer(w, r, changes)
	}))
}

// traceChanges reads a body: the level is a list of strings, the others strings;
// null is back to where it was.
func traceChanges(fields *wire.Body) (map[string][]string, error) {
	changes := map[string][]string{}
	for name := range fields.Names() {
		v, ok := fields.Get(name)
		if !ok || !slices.ContainsFunc(traceSettings, func(s traceSetting) bool { return s.name == name }) {
			changes[name] = nil
			continue
		}
		if name != traceLevel {
			text, err := wire.String(name, v)
			if err != nil {
				return nil, dialect.Errorf(dialect.Value, "", "Unable to parse '%s': it must be a string", name)
			}
			changes[name] = []string{text}
			continue
		}
		levels, err := texts(v)
		if err != nil {
			return nil, dialect.Errorf(dialect.Value, "", "Unable to parse '%s': it must be a list of strings", name)
		}
		changes[name] = levels
	}
	return changes, nil
}

// texts are the elements of a list of strings.
func texts(v wire.Value) (list []string, err error) {
	return list, json.Unmarshal(v, &list)
}

func traceJSON(value func(traceSetting) string) []byte {
	b := []byte{'{'}
	for i, t := range traceSettings {
		if i > 0 {
			b = append(b, ',')
		}
		if t.name == traceLevel {
			b = fmt.Appendf(b, "%q:[%q]", t.name, value(t))
		} else {
			b = fmt.Appendf(b, "%q:%q", t.name, value(t))
		}
	}
	return append(b, '}')
}

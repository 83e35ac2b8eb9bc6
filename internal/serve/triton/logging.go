package triton

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Logging is a log's handler whose kinds of lines clients turn on and off by the
// logging extension: errors, warnings and information, and above verbose level 0
// what is for debugging.
type Logging struct {
	slog.Handler
	state *logState
}

type logState struct {
	mu                   sync.Mutex
	info, warning, fault bool
	verbose              uint32
	format               string // accepted and kept; the lines stay as they are
}

// NewLogging starts with the lines of level and above. next must leave none out.
func NewLogging(next slog.Handler, level slog.Level) *Logging {
	s := &logState{info: level <= slog.LevelInfo, warning: level <= slog.LevelWarn, fault: true, format: "default"}
	if level < slog.LevelInfo {
		s.verbose = 1
	}
	return &Logging{next, s}
}

// Enabled implements slog.Handler.
func (l *Logging) Enabled(_ context.Context, level slog.Level) bool {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	switch {
	case level < slog.LevelInfo:
		return l.state.verbose > 0
	case level < slog.LevelWarn:
		return l.state.info
	case level < slog.LevelError:
		return l.state.warning
	}
	return l.state.fault
}

// WithAttrs implements slog.Handler.
func (l *Logging) WithAttrs(list []slog.Attr) slog.Handler {
	return &Logging{l.Handler.WithAttrs(list), l.state}
}

// WithGroup implements slog.Handler.
func (l *Logging) WithGroup(name string) slog.Handler {
	return &Logging{l.Handler.WithGroup(name), l.state}
}

// The settings of the logging extension.
const (
	logFile    = "log_file"
	logInfo    = "log_info"
	logWarning = "log_warning"
	logError   = "log_error"
	logVerbose = "log_verbose_level"
	logFormat  = "log_format"
)

// logSetting is a name with a bool, a uint32 or a string.
type logSetting struct {
	name  string
	value any
}

// settings are all, in the reference server's order.
func (l *Logging) settings() []logSetting {
	s := l.state
	s.mu.Lock()
	defer s.mu.Unlock()
	return []logSetting{{logFile, ""}, {logInfo, s.info}, {logWarning, s.warning}, {logError, s.fault}, {logVerbose, s.verbose}, {logFormat, s.format}}
}

// change sets all of them or none. Names that are not known are left alone.
func (l *Logging) change(changes map[string]any) error {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	next := &logState{info: l.state.info, warning: l.state.warning, fault: l.state.fault, verbose: l.state.verbose, format: l.state.format}
	for name, value := range changes {
		if err := next.set(name, value); err != nil {
			return err
		}
	}
	s := l.state
	s.info, s.warning, s.fault, s.verbose, s.format = next.info, next.warning, next.fault, next.verbose, next.format
	return nil
}

func (s *logState) set(name string, value any) error {
	ok := true
	switch name {
	case logFile:
		return dialect.Errorf(dialect.Unsupported, "", "log file location can not be updated through network protocol")
	case logInfo:
		s.info, ok = value.(bool)
	case logWarning:
		s.warning, ok = value.(bool)
	case logError:
		s.fault, ok = value.(bool)
	case logVerbose:
		s.verbose, ok = value.(uint32)
	case logFormat:
		if s.format, ok = value.(string); ok && s.format != "default" && s.format != "ISO8601" {
			return dialect.Errorf(dialect.Unavailable, "", "invalid argument for --log_format, got: %s", s.format)
		}
	}
	if !ok {
		return dialect.Errorf(dialect.Value, "", "Unable to parse '%s', got: %v", name, value)
	}
	return nil
}

func (s *Server) loggingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v2/logging", func(w http.ResponseWriter, r *http.Request) { sendJSON(w, s.options.Logging.json()) })
	mux.HandleFunc("POST /v2/logging", func(w http.ResponseWriter, r *http.Request) {
		fields, release, err := s.body(w, r)
		defer release()
		if err == nil {
			err = s.options.Logging.change(logChanges(fields))
		}
		if err != nil {
			s.fail(w, err)
			return
		}
		sendJSON(w, s.options.Logging.json())
	})
}

func (l *Logging) json() []byte {
	b := []byte{'{'}
	for i, setting := range l.settings() {
		if i > 0 {
			b = append(b, ',')
		}
		if text, ok := setting.value.(string); ok {
			b = fmt.Appendf(b, "%q:%q", setting.name, text)
		} else {
			b = fmt.Appendf(b, "%q:%v", setting.name, setting.value)
		}
	}
	return append(b, '}')
}

// logChanges reads a body. null changes nothing; what is none of the kinds of
// values stays JSON, and is refused as such.
func logChanges(fields *wire.Body) map[string]any {
	changes := map[string]any{}
	for name := range fields.Names() {
		v, ok := fields.Get(name)
		if !ok {
			continue
		}
		changes[name] = v
		switch v.Kind() {
		case 't', 'f':
			changes[name] = v.Kind() == 't'
		case '"':
			changes[name], _ = wire.String(name, v) // it is one
		case '0':
			if n, err := strconv.ParseUint(string(v), 10, 32); err == nil {
				changes[name] = uint32(n)
			}
		}
	}
	return changes
}

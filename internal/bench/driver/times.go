package driver

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Times is where a service says that a request's time went. A phase that it does
// not tell is Untold.
type Times struct {
	Source    string        // TimesServer, TimesTEI; "": the service tells nothing
	Total     time.Duration // in the service, as far as it knows when it begins to answer
	Queue     time.Duration // waiting for a batch
	Tokenize  time.Duration
	Inference time.Duration // of the batch that it travelled in
	Serialize time.Duration
}

// Untold is a phase that a service does not tell.
const Untold time.Duration = -1

// The sources of Times.
const (
	TimesServer = "server-timing" // the header of the W3C's Server Timing, in fractions of a millisecond
	TimesTEI    = "tei"           // the x-…-time headers of text-embeddings-inference, in whole milliseconds, means over the request's texts
)

// timesOf reads a reply's header. The W3C's form is preferred: it is finer.
func timesOf(h http.Header) Times {
	t := Times{TimesServer, Untold, Untold, Untold, Untold, Untold}
	found := false
	for _, line := range h["Server-Timing"] {
		found = t.metrics(line) || found
	}
	if found {
		return t
	}
	t.Source = TimesTEI
	for _, name := range [...]string{"X-Total-Time", "X-Tokenization-Time", "X-Queue-Time", "X-Inference-Time"} {
		if values := h[name]; len(values) == 1 {
			name, _ = strings.CutPrefix(name, "X-")
			name, _ = strings.CutSuffix(name, "-Time")
			found = t.set(name, values[0]) || found
		}
	}
	if !found {
		return Times{}
	}
	return t
}

// metrics reads a line of Server-Timing: names with parameters, of which dur counts.
func (t *Times) metrics(line string) (found bool) {
	for len(line) > 0 {
		var metric string
		metric, line = cutUnquoted(line, ',')
		name, parameters := cutUnquoted(metric, ';')
		for len(parameters) > 0 {
			var parameter string
			parameter, parameters = cutUnquoted(parameters, ';')
			key, value, _ := strings.Cut(parameter, "=")
			if strings.EqualFold(strings.TrimSpace(key), "dur") {
				found = t.set(strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)) || found
			}
		}
	}
	return found
}

// cutUnquoted cuts at the first separator outside of a quoted string.
func cutUnquoted(s string, separator byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// set takes milliseconds for a phase by one of its names. Phases of other names
// are a service's own, and a time that cannot be is none.
func (t *Times) set(name, milliseconds string) bool {
	to := t.phase(strings.ToLower(name))
	ms, err := strconv.ParseFloat(milliseconds, 64)
	const most = float64(24 * time.Hour / time.Millisecond)
	if to == nil || err != nil || !(ms >= 0 && ms <= most) {
		return false
	}
	*to = time.Duration(math.Round(ms * float64(time.Millisecond)))
	return true
}

func (t *Times) phase(name string) *time.Duration {
	switch name {
	case "total":
		return &t.Total
	case "queue":
		return &t.Queue
	case "tokenise", "tokenize", "tokenization":
		return &t.Tokenize
	case "inference":
		return &t.Inference
	case "serialise", "serialize":
		return &t.Serialize
	}
	return nil
}

// Package agent carries what a server takes from its machine to the benchmark's: a
// small HTTP service there, which reads one process tree and the GPUs, and a client
// here, which is a source of samples.
//
// It runs nothing, changes nothing but the kernel's high-water marks of that tree, and
// knows no process but those under its root. Who may ask: without a token, only
// programs on the same machine, since the service then answers requests to a loopback
// address alone, and none that a web page sent; with one, whoever knows it. The token
// travels as it is, so between machines the way must be private: one's own network,
// or a tunnel. Invariants: every reading is taken when it is asked for, so that no
// clock but the asker's gives it its time; a request costs no memory beyond its head.
package agent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/loopback"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

// Options are what an agent serves.
type Options struct {
	Token   string              // that askers must know; "": loopback alone
	Machine record.Machine      // that it runs on
	Find    func() (int, error) // the root of the process tree, again whenever the last one has ended
	GPUs    *sample.GPUs        // nil: none
}

// The routes. A reading is asked for by POST, since it may set a mark.
const (
	usageRoute   = "/v1/usage"
	machineRoute = "/v1/machine"
)

// agent answers.
type agent struct {
	Options

	mu     sync.Mutex
	source sample.Source // nil: the process has to be found
}

// NewServer is the service for an address that the caller listens on.
func NewServer(o Options) *http.Server {
	a := &agent{Options: o}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+usageRoute, a.usage)
	mux.HandleFunc("GET "+machineRoute, a.machine)
	return &http.Server{
		Handler: a.guard(mux), MaxHeaderBytes: 16 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute,
	}
}

// CheckListen refuses an address that others can reach without a token.
func CheckListen(address, token string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q: want HOST:PORT, such as 127.0.0.1:9470", address)
	}
	if token == "" && !loopback.Is(host) {
		return fmt.Errorf("%s can be reached from other machines: set a token that askers must know, or listen on 127.0.0.1", address)
	}
	return nil
}

// guard turns away who may not ask. Browsers name the page that sent a request in
// Origin; what one without a token was asked as is loopback's to know.
func (a *agent) guard(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte("Bearer " + a.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		have := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		switch {
		case r.Header.Get("Origin") != "":
			http.Error(w, "web pages may not ask", http.StatusForbidden)
		case a.Token == "" && !loopback.Is(loopback.Asked(r)):
			http.Error(w, "without a token this agent answers requests to loopback addresses alone", http.StatusForbidden)
		case a.Token != "" && subtle.ConstantTimeCompare(have[:], want[:]) != 1:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this agent wants its token: set PACELINE_AGENT_TOKEN to what it was started with", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// usage takes a reading.
func (a *agent) usage(w http.ResponseWriter, r *http.Request) {
	want, err := strconv.ParseUint(r.URL.Query().Get("want"), 10, 8)
	if err != nil {
		http.Error(w, "want: a sum of 1 (PSS), 2 (peak) and 4 (set the peak's mark)", http.StatusBadRequest)
		return
	}
	reading, err := a.read(r, sample.Want(want))
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	answer(w, reading)
}

// read finds the process anew if the last one has ended, as it does when a server is
// started again.
func (a *agent) read(r *http.Request, want sample.Want) (sample.Usage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.source != nil {
		if usage, err := a.source.Read(r.Context(), want); err == nil {
			return usage, nil
		}
		a.source = nil
	}
	pid, err := a.Find()
	if err != nil {
		return sample.Usage{}, err
	}
	source := sample.Process(pid, a.GPUs)
	usage, err := source.Read(r.Context(), want)
	if err == nil {
		a.source = source
	}
	return usage, err
}

func (a *agent) machine(w http.ResponseWriter, _ *http.Request) { answer(w, a.Machine) }

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an asker who has left needs no answer
}

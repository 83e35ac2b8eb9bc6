// Package process runs servers as child processes: each on a free loopback port,
// in a process group of its own, with its output in a file, probed until it is
// ready and ended on every way out. Benchmarks and `paceline stack` share it.
//
// It does not know what a server serves. Invariants: Start returns a server
// that answered its probe, or an error and no process; after Stop no process of
// its group is left; if this process dies without a word (SIGKILL), Linux ends
// the server with it, and a Keeper ends the rest of its group anywhere.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// Spec says how to start a server.
type Spec struct {
	Name    string
	Command []string       // PortMark in an argument stands for the port
	Env     []string       // added to this process's own; PortMark stands for the port here too
	Dir     string         // to run it in; empty: this process's own
	Port    int            // to listen on if it is free; 0: any
	Ports   map[string]int // further ports by their marks, such as "{port.grpc}", chosen likewise
	LogFile string         // gets the server's standard output and error
	Health  string         // path that answers 200 once the server is ready
	Limit   time.Duration  // for becoming ready
	Grace   time.Duration  // between asking it to end and ending it
	Keeper  *Keeper        // ends the server's group if this process dies without a word; nil: nobody does
}

// PortMark is replaced by the port to listen on.
const PortMark = "{port}"

// Server is a running server.
type Server struct {
	URL          string
	PID          int
	Command      []string // as it was run
	ReadySeconds float64  // from its start to its first healthy answer

	spec   Spec
	port   int
	child  *exec.Cmd
	exited chan struct{} // closed when the server's own process has ended
	err    error         // how it ended; to be read after exited
	stop   sync.Once
}

// Start runs the server and waits until it is ready. An error names the log
// file and quotes its tail. When ctx ends, the server is killed.
func Start(ctx context.Context, spec Spec) (*Server, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		s, err := launch(ctx, spec)
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", spec.Name, err)
		}
		if err = s.await(ctx); err == nil {
			return s, nil
		}
		s.Stop()
		if attempt < attempts && s.outrun(err) {
			spec = spec.elsewhere()
			continue
		}
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
}

func launch(ctx context.Context, spec Spec) (*Server, error) {
	port, replace, err := choosePorts(spec)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(spec.LogFile), 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(spec.LogFile)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	s := &Server{
		URL:    "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		spec:   spec,
		port:   port,
		exited: make(chan struct{}),
	}
	s.Command = replaceAll(replace, spec.Command)
	s.child = exec.Command(s.Command[0], s.Command[1:]...)
	s.child.Env = append(os.Environ(), replaceAll(replace, spec.Env)...)
	s.child.Dir = spec.Dir
	s.child.Stdout, s.child.Stderr = log, log
	s.child.SysProcAttr = ownGroup()
	started := make(chan error)
	go s.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	s.PID = s.child.Process.Pid
	spec.Keeper.watch(s.PID)
	stop := context.AfterFunc(ctx, func() { killGroup(s.PID) })
	go func() { <-s.exited; stop() }()
	return s, nil
}

// run starts the child and waits for its end on one thread: the kernel's signal
// to children of the dead is tied to the thread that started them.
func (s *Server) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.child.Start()
	started <- err
	if err != nil {
		return
	}
	s.err = s.child.Wait()
	close(s.exited)
}

// errExited marks a server that ended by itself.
var errExited = errors.New("it ended before it was ready")

// await probes the server until it answers, ends, or the limit is reached.
func (s *Server) await(ctx context.Context) error {
	started := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, s.spec.Limit, fmt.Errorf("not ready after %v at %s%s", s.spec.Limit, s.URL, s.spec.Health))
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}
	const first, last = 5 * time.Millisecond, 200 * time.Millisecond
	for pause := first; ; pause = min(2*pause, last) {
		if healthy(ctx, client, s.URL+s.spec.Health) {
			s.ReadySeconds = time.Since(started).Seconds()
			return s.owned()
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%w (%s): %s", errExited, ending(s.err), s.Tail())
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), s.Tail())
		case <-time.After(pause):
		}
	}
}

func healthy(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	reply, err := client.Do(request)
	if err != nil {
		return false
	}
	reply.Body.Close()
	return reply.StatusCode == http.StatusOK
}

// Exited is closed when the server's own process has ended.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Crashed says how the server ended, with its log's tail, if it ended by itself;
// nil while it runs.
func (s *Server) Crashed() error {
	select {
	case <-s.exited:
		return fmt.Errorf("%s ended (%s): %s", s.spec.Name, ending(s.err), s.Tail())
	default:
		return nil
	}
}

// CrashedWithin is Crashed for callers that lost contact with the server: the
// kernel breaks a dying process's connections before it tells us of its end, so
// the end is waited for, but no longer than that.
func (s *Server) CrashedWithin(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.exited:
	case <-timer.C:
	case <-ctx.Done():
	}
	return s.Crashed()
}

// Stop asks the server to end, waits for its grace, and kills what is left of
// its group. It may be called again.
func (s *Server) Stop() {
	s.stop.Do(func() {
		askGroup(s.PID)
		select {
		case <-s.exited:
		case <-time.After(s.spec.Grace):
		}
		killGroup(s.PID) // also what outlived the server's own process
		<-s.exited
		s.spec.Keeper.forget(s.PID)
	})
}

// Tail is the end of the log, for messages.
func (s *Server) Tail() string { return describeTail(s.spec.LogFile) }

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

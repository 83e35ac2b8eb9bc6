package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/process"
)

// glance is how often a supervisor looks after its servers, and those who wait
// for it look after it.
const glance = 100 * time.Millisecond

// Supervisor keeps servers up. Its callbacks are called in turn.
type Supervisor struct {
	Home     Home
	Model    string                           // for the records
	Starting func(server string)              // each may be nil
	Ready    func(r Running, seconds float64) // it answers
	Ended    func(server string, crash error) // crash is nil if it was asked to end
}

// kept is a server of a supervisor.
type kept struct {
	name    string
	claim   claim
	server  *process.Server
	release context.CancelFunc
	once    sync.Once
}

// Up starts servers one after the other, so that none is late because another was
// starting, and keeps them until each has ended or ctx does. Its error joins the
// crashes. If one does not start, all are ended. No server is left when it returns.
func (s *Supervisor) Up(ctx context.Context, specs []process.Spec) error {
	var servers []*kept
	defer func() {
		for _, k := range servers {
			k.end()
		}
	}()
	for _, spec := range specs {
		k, err := s.start(ctx, spec)
		if err != nil {
			return err
		}
		servers = append(servers, k)
	}
	return s.keep(ctx, servers)
}

func (s *Supervisor) start(ctx context.Context, spec process.Spec) (*kept, error) {
	claim, err := s.Home.claim(spec.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	if s.Starting != nil {
		s.Starting(spec.Name)
	}
	// Until it is ready the end of ctx kills it; later it is asked to end first.
	starting, kill := context.WithCancel(context.WithoutCancel(ctx))
	ready := context.AfterFunc(ctx, kill)
	server, err := process.Start(starting, spec)
	ready()
	if err != nil {
		kill()
		claim.release()
		return nil, errors.Join(err, ctx.Err())
	}
	k := &kept{name: spec.Name, claim: claim, server: server, release: kill}
	r := Running{Server: spec.Name, URL: server.URL, PID: server.PID, Supervisor: os.Getpid(), Model: s.Model, LogFile: spec.LogFile, Started: time.Now()}
	if err := claim.publish(r); err != nil {
		k.end()
		return nil, err
	}
	if s.Ready != nil {
		s.Ready(r, server.ReadySeconds)
	}
	return k, nil
}

func (k *kept) end() {
	k.once.Do(func() {
		k.server.Stop()
		k.release()
		k.claim.release()
	})
}

// keep watches until no server is left or ctx ends.
func (s *Supervisor) keep(ctx context.Context, servers []*kept) error {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	var crashes []error
	for len(servers) > 0 {
		select {
		case <-ctx.Done():
			return errors.Join(crashes...)
		case <-tick.C:
		}
		if ctx.Err() != nil {
			return errors.Join(crashes...)
		}
		var still []*kept
		for _, k := range servers {
			crash := k.server.Crashed()
			if crash == nil && !k.claim.asked() {
				still = append(still, k)
				continue
			}
			k.end()
			if s.Ended != nil {
				s.Ended(k.name, crash)
			}
			if crash != nil {
				crashes = append(crashes, crash)
			}
		}
		servers = still
	}
	return errors.Join(crashes...)
}

package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Running is a server that a `paceline stack up` keeps.
type Running struct {
	Server     string    `json:"server"`
	URL        string    `json:"url"`
	PID        int       `json:"pid"`        // of the server
	Supervisor int       `json:"supervisor"` // of the paceline that keeps it
	Model      string    `json:"model"`
	LogFile    string    `json:"log"`
	Started    time.Time `json:"started"`
}

// ErrRunning says that a server is kept by a process already.
var ErrRunning = errors.New("it is running already")

// claim is a server's place in the home: who holds its lock keeps the server, so
// a record without a lock is one that its keeper left behind.
type claim struct {
	lock    *flock.Flock
	record  string
	request string // a file that asks for the server's end
}

func (h Home) claimOf(server string) claim {
	base := filepath.Join(h.Dir, "running", server)
	return claim{flock.New(base + ".lock"), base + ".json", base + ".down"}
}

// claim takes a server's place, or fails with ErrRunning.
func (h Home) claim(server string) (claim, error) {
	c := h.claimOf(server)
	if err := os.MkdirAll(filepath.Dir(c.record), 0o755); err != nil {
		return c, err
	}
	// Whoever lists what is running holds the lock for a moment too.
	moment, cancel := context.WithTimeout(context.Background(), 5*glance)
	defer cancel()
	held, err := c.lock.TryLockContext(moment, glance/5)
	switch {
	case held:
		return c, c.clear()
	case errors.Is(err, context.DeadlineExceeded):
		return c, ErrRunning
	}
	return c, err
}

func (c claim) clear() error {
	for _, path := range []string{c.record, c.request} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (c claim) publish(r Running) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeChanged(c.record, append(text, '\n'))
}

func (c claim) asked() bool {
	_, err := os.Stat(c.request)
	return err == nil
}

// release gives the place back. What cannot be removed is as good as removed,
// since nobody holds the lock.
func (c claim) release() {
	c.clear()
	c.lock.Unlock()
}

// Running lists the servers that are kept now, by name.
func (h Home) Running() ([]Running, error) {
	records, err := filepath.Glob(filepath.Join(h.Dir, "running", "*.json"))
	if err != nil {
		return nil, err
	}
	var list []Running
	for _, path := range records {
		r, err := h.running(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil {
			return nil, err
		}
		if r != nil {
			list = append(list, *r)
		}
	}
	return list, nil
}

// running reads a server's record; nil if nobody keeps it.
func (h Home) running(server string) (*Running, error) {
	c := h.claimOf(server)
	free, err := c.lock.TryLock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if free {
		return nil, c.lock.Unlock()
	}
	text, err := os.ReadFile(c.record)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // about to start, or just ended
	}
	if err != nil {
		return nil, err
	}
	var r Running
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", c.record, err)
	}
	return &r, nil
}

// ErrNotRunning says that nobody keeps the server.
var ErrNotRunning = errors.New("it is not running")

// Down asks whoever keeps a server to end it, and waits until that is done or
// ctx ends.
func (h Home) Down(ctx context.Context, server string) error {
	r, err := h.running(server)
	if err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	if r == nil {
		return fmt.Errorf("%s: %w", server, ErrNotRunning)
	}
	if err := os.WriteFile(h.claimOf(server).request, nil, 0o644); err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if r, err := h.running(server); err != nil || r == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: asked process %d to end it: %w", server, r.Supervisor, context.Cause(ctx))
		}
	}
}

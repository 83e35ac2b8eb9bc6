package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/term"

	"github.com/paceline/paceline/internal/bench"
)

// stressProgress draws one live line on a terminal, under the log lines, which go
// through it; elsewhere there are the log lines alone.
type stressProgress struct {
	w        io.Writer
	terminal bool
	duration time.Duration
	log      *slog.Logger

	mu   sync.Mutex
	line string // what stands on the terminal's last line
}

func newStressProgress(w *os.File, duration time.Duration) *stressProgress {
	return &stressProgress{w: w, terminal: term.IsTerminal(int(w.Fd())), duration: duration}
}

// clearLine goes to the beginning of a terminal's line and empties it.
const clearLine = "\r\x1b[K"

// Write puts a log line above the live line.
func (p *stressProgress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprint(p.w, clearLine)
	}
	n, err := p.w.Write(b)
	if p.line != "" {
		fmt.Fprint(p.w, p.line)
	}
	return n, err
}

// Second draws the live line.
func (p *stressProgress) Second(s bench.Snapshot) {
	if !p.terminal {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = fmt.Sprintf("%s of %s  %s  %.1f/s  p50 %s ms  p99 %s ms  %d failed  %d sent late",
		clock(s.Elapsed), clock(p.duration), english.Plural(s.Requests, "request", ""), s.PerSecond, milliseconds(number(s.P50)), milliseconds(number(s.P99)), s.Failures, s.Late)
	fmt.Fprint(p.w, clearLine, p.line)
}

// Window logs where the load stands.
func (p *stressProgress) Window(s bench.Snapshot) {
	p.log.Info("progress", "elapsed_seconds", math.Round(s.Elapsed.Seconds()), "total_requests", s.Requests, "failed_requests", s.Failures,
		"late_sends", s.Late, "requests_per_second", s.PerSecond, "p50", number(s.P50), "p99", number(s.P99))
}

// number is nil for what JSON has no number for.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// close leaves the live line as it stands.
func (p *stressProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != "" {
		fmt.Fprintln(p.w)
		p.line = ""
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/paceline/paceline/internal/stack"
)

// stackProgress shows what an installation is doing: on a terminal one line that
// changes, elsewhere a line now and then. It goes on while pip says nothing, which
// it does for minutes while it unpacks.
type stackProgress struct {
	w     io.Writer
	width int // of the terminal; 0: none
	home  stack.Home

	mu      sync.Mutex
	stack   *stack.Definition // nil: none is being installed
	text    string            // what was said last
	size    uint64            // of the environment
	began   time.Time
	printed time.Time
}

// newStackProgress shows progress until ctx ends.
func newStackProgress(ctx context.Context, w *os.File, home stack.Home) *stackProgress {
	p := &stackProgress{w: w, home: home}
	if width, _, err := term.GetSize(int(w.Fd())); err == nil && term.IsTerminal(int(w.Fd())) {
		p.width = width
	}
	go p.watch(ctx)
	return p
}

// begin names the stack that what follows is about.
func (p *stackProgress) begin(d *stack.Definition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stack, p.text, p.size, p.began, p.printed = d, "", 0, time.Now(), time.Time{}
}

// line is told each line of pip's.
func (p *stackProgress) line(_, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	p.print(time.Now(), lineEvery)
}

// watch looks after the environment while nothing is said.
func (p *stackProgress) watch(ctx context.Context) {
	const quiet = 4 * lineEvery
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p.look(now)
			p.mu.Lock()
			if p.text != "" {
				p.print(now, quiet)
			}
			p.mu.Unlock()
		}
	}
}

// look measures the environment every few seconds: it may hold 50,000 files.
func (p *stackProgress) look(now time.Time) {
	p.mu.Lock()
	d := p.stack
	p.mu.Unlock()
	if d == nil || now.Unix()%int64(lineEvery/time.Second) != 0 {
		return
	}
	size := p.home.Size(d)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stack == d {
		p.size = size
	}
}

// print writes the line, elsewhere than on a terminal only if the last one was
// written so long ago.
func (p *stackProgress) print(now time.Time, every time.Duration) {
	if p.stack == nil {
		return
	}
	const longest = 160 // pip lists all packages in one line
	line := []rune(fmt.Sprintf("%7s  %s: %s%s", clock(now.Sub(p.began)), p.stack.Name, p.share(), p.text))
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%s", string(line[:min(len(line), p.width-1)]))
		return
	}
	if now.Sub(p.printed) >= every {
		p.printed = now
		fmt.Fprintln(p.w, string(line[:min(len(line), longest)]))
	}
}

// share is how much of the disk it has taken by now, of about how much.
func (p *stackProgress) share() string {
	if p.size == 0 || p.stack.Needs.Disk == 0 {
		return ""
	}
	return fmt.Sprintf("%s of about %s: ", humanize.Bytes(p.size), humanize.Bytes(uint64(p.stack.Needs.Disk)))
}

// done closes the line that changes, and says what came of the stack; without a
// state, nothing.
func (p *stackProgress) done(state stack.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width > 0 && p.text != "" {
		fmt.Fprintln(p.w)
	}
	if state != "" {
		took := ""
		if p.text != "" {
			took = " in " + clock(time.Since(p.began))
		}
		fmt.Fprintf(p.w, "%s: %s%s\n", p.stack.Name, state, took)
	}
	p.stack, p.text = nil, ""
}

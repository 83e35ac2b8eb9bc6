package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// stackProgress shows what an installation is doing: on a terminal one line that
// changes, elsewhere a line now and then.
type stackProgress struct {
	w       io.Writer
	width   int // of the terminal; 0: none
	started time.Time
	said    time.Time
	stack   string
}

func newStackProgress(w *os.File) *stackProgress {
	p := &stackProgress{w: w, started: time.Now()}
	if width, _, err := term.GetSize(int(w.Fd())); err == nil && term.IsTerminal(int(w.Fd())) {
		p.width = width
	}
	return p
}

// line is told each line of pip's.
func (p *stackProgress) line(stack, text string) {
	now := time.Now()
	if p.stack != stack {
		p.stack, p.started, p.said = stack, now, time.Time{}
	}
	const longest = 160 // pip lists all packages in one line
	line := []rune(fmt.Sprintf("%7s  %s: %s", clock(now.Sub(p.started)), stack, text))
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%s", string(line[:min(len(line), p.width-1)]))
		return
	}
	if now.Sub(p.said) >= lineEvery {
		p.said = now
		fmt.Fprintln(p.w, string(line[:min(len(line), longest)]))
	}
}

// end closes the line that changes.
func (p *stackProgress) end() {
	if p.width > 0 && p.stack != "" {
		fmt.Fprintln(p.w)
	}
	p.stack = ""
}

func (p *stackProgress) done(stack, state string) {
	took := ""
	if p.stack == stack {
		took = fmt.Sprintf(" in %s", clock(time.Since(p.started)))
	}
	p.end()
	fmt.Fprintf(p.w, "%s: %s%s\n", stack, state, took)
}

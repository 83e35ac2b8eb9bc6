package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/paceline/paceline/internal/bulk"
)

// embedProgress shows how files are embedded: a bar on a terminal, if it is known how
// much there is, else a line every few seconds.
type embedProgress struct {
	w        io.Writer
	terminal bool
	resumed  int64 // rows of earlier runs
	began    time.Time
	first    bulk.Status // what rates count from
	said     time.Time
	progress *mpb.Progress
	bar      *mpb.Bar
	state    chan string // what stands beside the bar; room for one
}

func newEmbedProgress(w *os.File) *embedProgress {
	return &embedProgress{w: w, terminal: term.IsTerminal(int(w.Fd())), state: make(chan string, 1)}
}

// Resumed says that a run goes on.
func (p *embedProgress) Resumed(dir string, rows int64) {
	p.resumed = rows
	fmt.Fprintf(p.w, "%s: going on after %s, which are read again and not embedded\n", dir, english.Plural(int(rows), "row", ""))
}

// Progress is told of every chunk.
func (p *embedProgress) Progress(s bulk.Status) {
	now := time.Now()
	if p.began.IsZero() {
		p.began, p.said, p.first = now, now, s
		if p.terminal && s.Bytes > 0 {
			p.draw(s)
		}
		return
	}
	if p.bar != nil {
		select {
		case <-p.state: // nobody has looked
		default:
		}
		p.state <- p.line(s, now)
		p.bar.SetCurrent(s.Read)
		return
	}
	if now.Sub(p.said) >= lineEvery {
		p.said = now
		fmt.Fprintln(p.w, p.line(s, now))
	}
}

func (p *embedProgress) draw(s bulk.Status) {
	var shown string
	p.progress = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(30))
	p.bar = p.progress.AddBar(s.Bytes, mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
		select {
		case shown = <-p.state:
		default:
		}
		return shown
	})))
	p.bar.SetCurrent(s.Read)
}

// line is rows, rates and, where the size of the input is known, what is left.
func (p *embedProgress) line(s bulk.Status, now time.Time) string {
	seconds := now.Sub(p.began).Seconds()
	line := fmt.Sprintf("%s, %.0f rows/s, %.0f tokens/s", english.Plural(int(s.Rows), "row", ""),
		float64(s.Rows-p.first.Rows)/seconds, float64(s.Tokens-p.first.Tokens)/seconds)
	if read := s.Read - p.first.Read; s.Bytes > 0 && read > 0 {
		left := time.Duration(seconds * float64(s.Bytes-s.Read) / float64(read) * float64(time.Second))
		line += fmt.Sprintf(", %.0f %%, %s left", 100*float64(s.Read)/float64(s.Bytes), clock(left))
	}
	return line
}

// close ends the bar, if there is one.
func (p *embedProgress) close() {
	if p.bar != nil {
		p.bar.Abort(false)
		p.progress.Wait()
	}
}

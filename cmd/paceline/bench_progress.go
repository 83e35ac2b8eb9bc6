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

	"github.com/paceline/paceline/internal/bench/record"
)

// benchProgress shows how a comparison goes on: lines for what is being done, then
// a bar on a terminal or a line for every tenth of the slices elsewhere.
type benchProgress struct {
	w        io.Writer
	terminal bool
	started  time.Time
	finish   time.Time // as planned
	total    int
	done     int
	tenth    int
	progress *mpb.Progress
	bar      *mpb.Bar
}

func newBenchProgress(w *os.File) *benchProgress {
	return &benchProgress{w: w, terminal: term.IsTerminal(int(w.Fd())), started: time.Now()}
}

// Stage says what is being done.
func (p *benchProgress) Stage(text string) {
	p.close()
	fmt.Fprintf(p.w, "%7s  %s\n", clock(time.Since(p.started)), text)
}

// Planned says how much is to come; it may change on the way.
func (p *benchProgress) Planned(slices int, estimate time.Duration) {
	p.finish = time.Now().Add(estimate)
	if p.total == 0 {
		p.Stage(fmt.Sprintf("measuring: %s, about %s", english.Plural(slices, "slice", ""), clock(estimate)))
	}
	p.total = p.done + slices
	p.tenth = 10 * p.done / max(1, p.total)
	if !p.terminal {
		return
	}
	if p.bar == nil {
		p.progress = mpb.New(mpb.WithOutput(p.w), mpb.WithWidth(50))
		p.bar = p.progress.AddBar(int64(p.total),
			mpb.PrependDecorators(decor.CountersNoUnit("  %d of %d slices ")),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return clock(time.Until(p.finish)) + " left" })),
		)
		p.bar.SetCurrent(int64(p.done))
		return
	}
	p.bar.SetTotal(int64(p.total), false)
}

// Measured counts a slice.
func (p *benchProgress) Measured(*record.Cell) {
	if p.done == p.total {
		return // memory slices, scenarios and tries are in no plan: their stages are told
	}
	p.done++
	if p.bar != nil {
		p.bar.SetCurrent(int64(p.done))
		return
	}
	if tenth := 10 * p.done / p.total; !p.terminal && tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.w, "%7s  %d of %s, %s left\n", clock(time.Since(p.started)), p.done, english.Plural(p.total, "slice", ""), clock(time.Until(p.finish)))
	}
}

// Doubted shows a warning at once; the report has it too.
func (p *benchProgress) Doubted(w record.Warning) {
	var to io.Writer = p.w
	if p.progress != nil {
		to = p.progress // above the bar
	}
	fmt.Fprintf(to, "warning: %v\n", w)
}

// close ends the bar, if there is one.
func (p *benchProgress) close() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(false)
	p.progress.Wait()
	p.bar, p.progress = nil, nil
}

// clock shows a duration as minutes and seconds.
func clock(d time.Duration) string {
	s := int(max(0, d).Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

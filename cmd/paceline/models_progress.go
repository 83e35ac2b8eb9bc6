package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/paceline/paceline/internal/store"
)

// newProgress shows downloads: as a bar on a terminal, as plain lines elsewhere.
func newProgress(w *os.File) store.Progress {
	if term.IsTerminal(int(w.Fd())) {
		return bars{w}
	}
	return lines{w}
}

type bars struct{ w io.Writer }

// Begin draws a bar for one download.
func (b bars) Begin(label string, total int64) store.Task {
	p := mpb.New(mpb.WithOutput(b.w), mpb.WithWidth(40))
	bar := p.AddBar(total,
		mpb.PrependDecorators(decor.Name(label+" "), decor.Counters(decor.SizeB1000(0), "% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1000(0), "% .1f", decor.WC{W: 12}), decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8})),
	)
	return &barTask{p, bar}
}

type barTask struct {
	progress *mpb.Progress
	bar      *mpb.Bar
}

func (t *barTask) Add(n int64) { t.bar.IncrInt64(n) }

func (t *barTask) End(ok bool) {
	if ok {
		t.bar.SetTotal(-1, true) // complete at what there is
	} else {
		t.bar.Abort(false)
	}
	t.progress.Wait()
}

// lineEvery keeps a log of a slow download short.
const lineEvery = 5 * time.Second

type lines struct{ w io.Writer }

// Begin prints what is to come.
func (l lines) Begin(label string, total int64) store.Task {
	fmt.Fprintf(l.w, "%s: downloading %s\n", label, humanize.Bytes(uint64(total)))
	now := time.Now()
	return &lineTask{w: l.w, label: label, total: total, began: now, said: now}
}

type lineTask struct {
	w           io.Writer
	label       string
	total       int64
	began, said time.Time

	mu   sync.Mutex
	have int64
}

func (t *lineTask) Add(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.have += n
	if now := time.Now(); now.Sub(t.said) >= lineEvery {
		t.said = now
		fmt.Fprintf(t.w, "%s: %s of %s\n", t.label, humanize.Bytes(uint64(max(0, t.have))), humanize.Bytes(uint64(t.total)))
	}
}

func (t *lineTask) End(ok bool) {
	if ok {
		fmt.Fprintf(t.w, "%s: downloaded in %.1f s\n", t.label, time.Since(t.began).Seconds())
	}
}

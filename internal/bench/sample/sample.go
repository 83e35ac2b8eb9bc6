// Package sample watches, while load runs, what it costs: CPU time, memory, page
// faults and threads of the server's process tree, what the GPUs do, the client's
// own CPU time, and the time that the machine's host took for others.
//
// It knows processes by their id, not what they do. Where a server runs elsewhere,
// its source is an agent of ours there (package agent) or its own metrics page; without
// one there are no samples of it. Invariants: the first and the last sample are
// taken at the ends of the watch, so differences of the counters cover all of it;
// counters never fall; times are the client's, whatever clock the server's machine
// has.
package sample

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// Interval between samples: fine enough for a timeline of memory, and some
// tens of microseconds of work each.
const Interval = 200 * time.Millisecond

// Proportional set sizes are read at the ends of a watch, and in between so rarely
// that reading takes no more than a hundredth of the time: the kernel walks all
// pages of a process, which keeps it from mapping others meanwhile.
const (
	pssInterval = 5 * time.Second
	pssShare    = 100
)

// readLimit is how long a source may take over one reading.
const readLimit = 2 * time.Second

// Watch takes samples until it is stopped.
type Watch struct {
	source  Source // nil: nothing is known of the server
	quit    chan struct{}
	ended   sync.WaitGroup
	rows    []row
	pss     record.PSSSamples
	nextPSS time.Time
	begun   time.Time
	peak    int64
	known   bool // a reading succeeded
}

type row struct {
	at             time.Time
	server         Usage
	client         float64
	machine, steal float64
}

// Start watches a server; with nil, the client alone.
func Start(source Source) *Watch {
	w := &Watch{source: source, quit: make(chan struct{}), begun: time.Now()}
	if source != nil {
		w.read(PSS | ResetPeak) // before the row: what it costs lies outside of the watch
	}
	w.take()
	w.ended.Go(w.loop)
	return w
}

func (w *Watch) loop() {
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.take()
			if w.source != nil && time.Now().After(w.nextPSS) {
				w.read(PSS)
			}
		case <-w.quit:
			return
		}
	}
}

// take adds a row.
func (w *Watch) take() {
	var r row
	if w.source != nil {
		r.server, r.at = w.read(0)
	} else {
		r.at = time.Now()
	}
	r.machine, r.steal = machineSeconds()
	if u, err := usageOf(os.Getpid()); err == nil {
		r.client = u.CPUSeconds
	}
	w.rows = append(w.rows, r)
}

// read asks the source. A reading belongs to the middle of the time that it took,
// which is what makes one from another machine comparable with this one's clock.
// One that fails is the last one again: a server that ended shows in its requests.
func (w *Watch) read(want Want) (usage Usage, at time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	began := time.Now()
	usage, err := w.source.Read(ctx, want)
	took := time.Since(began)
	at = began.Add(took / 2)
	last := Usage{}
	if len(w.rows) > 0 {
		last = w.rows[len(w.rows)-1].server
	}
	if err != nil {
		return last, at
	}
	w.known = true
	usage.noLess(last)
	w.peak = max(w.peak, usage.RSSBytes, usage.PeakBytes)
	if want&PSS != 0 {
		w.nextPSS = time.Now().Add(max(pssInterval, pssShare*took))
		if usage.PSSBytes > 0 {
			w.pss.At = append(w.pss.At, at.Sub(w.begun).Microseconds())
			w.pss.Bytes = append(w.pss.Bytes, usage.PSSBytes)
		}
	}
	return usage, at
}

// Next ends the watch as Stop does and begins another where it ended: the last row of
// the one is the first of the other, so that what the server does while its memory is
// read, which takes a second where the machine is full, is lost to neither.
func (w *Watch) Next(epoch time.Time) (next *Watch, columns record.Samples, peakBytes int64) {
	columns, peakBytes = w.Stop(epoch)
	last := w.rows[len(w.rows)-1]
	next = &Watch{source: w.source, quit: make(chan struct{}), begun: last.at, rows: []row{last}, known: w.known}
	if w.source != nil {
		next.read(PSS | ResetPeak)
	}
	next.ended.Go(next.loop)
	return next, columns, peakBytes
}

// Stop ends the watch and gives its columns, with times from epoch on, and the
// peak of the server's resident memory, 0 where nothing is known of it.
func (w *Watch) Stop(epoch time.Time) (columns record.Samples, peakBytes int64) {
	close(w.quit)
	w.ended.Wait()
	w.take()
	if w.source != nil {
		w.read(PSS | Peak)
	}
	for _, r := range w.rows {
		columns.At = append(columns.At, r.at.Sub(epoch).Microseconds())
		columns.ClientCPU = append(columns.ClientCPU, r.client)
		columns.MachineCPU = append(columns.MachineCPU, r.machine)
		columns.Steal = append(columns.Steal, r.steal)
	}
	w.fill(&columns, epoch)
	return columns, w.peak
}

// fill adds the columns of the server that its source knows of.
func (w *Watch) fill(columns *record.Samples, epoch time.Time) {
	if !w.known {
		return
	}
	columns.From = w.source.From()
	threads := w.rows[0].server.Threads > 0 // a source that sees processes
	for i, r := range w.rows {
		if w.peak > 0 { // some pages of metrics tell of the GPUs alone
			columns.CPU = append(columns.CPU, r.server.CPUSeconds)
			columns.RSS = append(columns.RSS, r.server.RSSBytes)
		}
		if threads {
			columns.MinorFaults = append(columns.MinorFaults, r.server.MinorFaults)
			columns.MajorFaults = append(columns.MajorFaults, r.server.MajorFaults)
			columns.Threads = append(columns.Threads, r.server.Threads)
		}
		if r.server.GPU != nil {
			columns.GPU = appendGPU(columns.GPU, columns.At[i], *r.server.GPU)
		}
	}
	if len(w.pss.At) > 0 {
		columns.PSS = &w.pss
		for i := range w.pss.At {
			w.pss.At[i] += w.begun.Sub(epoch).Microseconds()
		}
	}
}

// appendGPU adds a reading.
func appendGPU(s *record.GPUSamples, at int64, g GPU) *record.GPUSamples {
	if s == nil {
		s = &record.GPUSamples{Own: g.Own}
	}
	s.At = append(s.At, at)
	s.Utilization = append(s.Utilization, g.Utilization)
	s.Bytes = append(s.Bytes, g.Bytes)
	s.Watts = append(s.Watts, g.Watts)
	s.Joules = append(s.Joules, g.Joules)
	s.Own, s.Count = s.Own && g.Own, g.Count
	return s
}

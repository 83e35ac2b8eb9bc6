// Package sample watches, while load runs, what it costs: CPU time and resident
// memory of the server's process tree, the client's own CPU time, and the time
// that the machine's host took for others.
//
// It knows processes by their id, not what they do. A service on another
// machine has no process here and so no samples of its own. Invariants: the
// first and the last sample are taken at the ends of the watch, so differences
// of the counters cover all of it; counters never fall.
package sample

import (
	"os"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// Interval between samples: fine enough for a timeline of memory, and some
// tens of microseconds of work each.
const Interval = 200 * time.Millisecond

// treeAge is how long a list of the tree's processes is believed; finding them
// means looking at every process of the machine.
const treeAge = time.Second

// Usage is what a process tree has taken.
type Usage struct {
	CPUSeconds float64 // since its start, ended children included where the system counts them
	RSSBytes   int64   // now; pages shared between its processes are counted for each
}

// Of reads the usage of the process tree under pid.
func Of(pid int) (Usage, error) {
	t := tree{root: pid}
	return t.usage(time.Now())
}

// tree remembers the processes under its root.
type tree struct {
	root    int
	pids    []int
	checked time.Time
}

func (t *tree) usage(now time.Time) (Usage, error) {
	if now.Sub(t.checked) >= treeAge {
		t.pids = append([]int{t.root}, descendants(t.root)...)
		t.checked = now
	}
	sum, err := usageOf(t.root)
	if err != nil {
		return Usage{}, err
	}
	for _, pid := range t.pids[1:] {
		if u, err := usageOf(pid); err == nil { // it may have ended meanwhile
			sum.CPUSeconds += u.CPUSeconds
			sum.RSSBytes += u.RSSBytes
		}
	}
	return sum, nil
}

// Watch takes samples until it is stopped.
type Watch struct {
	tree  *tree // nil: the service has no process on this machine
	peak  bool  // the kernel's high-water marks were reset at the start
	quit  chan struct{}
	ended sync.WaitGroup
	rows  []row
}

type row struct {
	at            time.Time
	server        Usage
	client, steal float64
}

// Start watches the tree under pid; 0 watches the client alone.
func Start(pid int) *Watch {
	w := &Watch{quit: make(chan struct{})}
	if pid != 0 {
		w.tree = &tree{root: pid}
	}
	w.take()
	w.peak = w.tree != nil && resetPeaks(w.tree.pids)
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
		case <-w.quit:
			return
		}
	}
}

func (w *Watch) take() {
	now := time.Now()
	r := row{at: now, steal: stealSeconds()}
	if u, err := usageOf(os.Getpid()); err == nil {
		r.client = u.CPUSeconds
	}
	if w.tree != nil {
		r.server, _ = w.tree.usage(now) // a server that ended shows in its requests
	}
	if len(w.rows) > 0 {
		last := w.rows[len(w.rows)-1].server
		r.server.CPUSeconds = max(r.server.CPUSeconds, last.CPUSeconds)
	}
	w.rows = append(w.rows, r)
}

// Stop ends the watch and gives its columns, with times from epoch on, and the
// tree's peak of resident memory, 0 without a tree.
func (w *Watch) Stop(epoch time.Time) (columns record.Samples, peakBytes int64) {
	close(w.quit)
	w.ended.Wait()
	w.take()
	for _, r := range w.rows {
		columns.At = append(columns.At, r.at.Sub(epoch).Microseconds())
		columns.ClientCPU = append(columns.ClientCPU, r.client)
		columns.Steal = append(columns.Steal, r.steal)
		if w.tree != nil {
			columns.CPU = append(columns.CPU, r.server.CPUSeconds)
			columns.RSS = append(columns.RSS, r.server.RSSBytes)
			peakBytes = max(peakBytes, r.server.RSSBytes)
		}
	}
	if w.peak {
		peakBytes = max(peakBytes, peaks(w.tree.pids))
	}
	return columns, peakBytes
}

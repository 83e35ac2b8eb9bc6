package sample

import (
	"context"
	"errors"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// Source reads what one server has taken, wherever it runs.
type Source interface {
	// From says where the figures come from: record.FromProcess, FromAgent, FromMetrics.
	From() string
	// Read takes a reading, with those of the costlier parts that are wanted.
	Read(ctx context.Context, want Want) (Usage, error)
}

// Want are the parts of a reading that cost more than the rest, or change something.
type Want uint8

// The parts, to be added up.
const (
	PSS       Want = 1 << iota // walks all pages of the tree
	Peak                       // the high-water mark of resident memory
	ResetPeak                  // sets the mark to what is resident now
)

// Usage is what a server has taken. What its source does not tell is 0 or nil.
type Usage struct {
	CPUSeconds  float64 `json:"cpu_seconds"`            // since its start, ended children included where the system counts them
	RSSBytes    int64   `json:"rss_bytes"`              // now; pages shared between its processes are counted for each
	PSSBytes    int64   `json:"pss_bytes,omitempty"`    // now, if wanted; shared pages are divided by their users
	PeakBytes   int64   `json:"peak_bytes,omitempty"`   // of RSS since the mark was set, if wanted
	MinorFaults int64   `json:"minor_faults,omitempty"` // since its start
	MajorFaults int64   `json:"major_faults,omitempty"`
	Threads     int32   `json:"threads,omitempty"` // now
	GPU         *GPU    `json:"gpu,omitempty"`
}

// GPU is a reading of all GPUs of the server's machine together.
type GPU struct {
	Count       int     `json:"count"`
	Utilization float64 `json:"utilization_percent"` // mean over the GPUs of the share of time with a kernel at work
	Bytes       int64   `json:"memory_bytes"`        // of the server's processes where Own, else of all
	Own         bool    `json:"own_memory"`
	Watts       float64 `json:"watts"`
	Joules      float64 `json:"joules"` // since some instant before the watch; it only rises
}

// processes is the tree under a process of this machine.
type processes struct {
	tree tree
	gpus *GPUs
}

// Process is the source for the tree under pid on this machine; gpus may be nil.
func Process(pid int, gpus *GPUs) Source {
	return &processes{tree: tree{root: pid}, gpus: gpus}
}

func (p *processes) From() string { return record.FromProcess }

func (p *processes) Read(_ context.Context, want Want) (Usage, error) {
	usage, err := p.tree.usage(time.Now())
	if err != nil {
		return Usage{}, err
	}
	if want&PSS != 0 {
		usage.PSSBytes = pssOf(p.tree.pids)
	}
	if want&ResetPeak != 0 {
		p.tree.marked = resetPeaks(p.tree.pids)
	}
	if want&Peak != 0 && p.tree.marked {
		usage.PeakBytes = peaks(p.tree.pids)
	}
	usage.GPU = p.gpus.read(p.tree.pids)
	return usage, nil
}

// Of reads the tree under pid once.
func Of(pid int) (Usage, error) {
	return Process(pid, nil).Read(context.Background(), 0)
}

// treeAge is how long a list of the tree's processes is believed; finding them
// means looking at every process of the machine.
const treeAge = time.Second

// tree remembers the processes under its root.
type tree struct {
	root    int
	pids    []int
	checked time.Time
	marked  bool // the kernel's high-water marks were reset
}

// errNoTree is a source without a process.
var errNoTree = errors.New("no process to watch")

func (t *tree) usage(now time.Time) (Usage, error) {
	if t.root <= 0 {
		return Usage{}, errNoTree
	}
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
			sum.add(u)
		}
	}
	return sum, nil
}

func (u *Usage) add(v Usage) {
	u.CPUSeconds += v.CPUSeconds
	u.RSSBytes += v.RSSBytes
	u.MinorFaults += v.MinorFaults
	u.MajorFaults += v.MajorFaults
	u.Threads += v.Threads
}

// noLess keeps the counters from falling below an earlier reading's: what an ended
// process took stays taken.
func (u *Usage) noLess(last Usage) {
	u.CPUSeconds = max(u.CPUSeconds, last.CPUSeconds)
	u.MinorFaults = max(u.MinorFaults, last.MinorFaults)
	u.MajorFaults = max(u.MajorFaults, last.MajorFaults)
}

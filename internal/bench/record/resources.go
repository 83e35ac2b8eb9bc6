package record

// Where the resource figures of a stack come from.
const (
	FromProcess = "process" // the process tree, read on the client's own machine
	FromAgent   = "agent"   // the process tree, read by `paceline agent` on the server's machine
	FromMetrics = "metrics" // what the service says of itself at /metrics: its own process alone
)

// Elsewhere tells whether the server's figures are of another machine than the
// client's, or may be.
func (s *Samples) Elsewhere() bool { return s.From == FromAgent || s.From == FromMetrics }

// Samples are the machine's state by column, taken while the cell ran. What a
// source does not tell is absent: all but ClientCPU where the service has no
// process on the client's machine, no agent and no /metrics; the faults, threads
// and PSS where only /metrics tells. Counters run since the server's start.
type Samples struct {
	From        string      `json:"from,omitempty"` // where the server's figures come from: FromProcess …
	At          []int64     `json:"at_us"`
	CPU         []float64   `json:"cpu_seconds,omitempty"`  // of the server's process tree
	RSS         []int64     `json:"rss_bytes,omitempty"`    // of the tree; pages that its processes share are counted for each
	MinorFaults []int64     `json:"minor_faults,omitempty"` // of the tree: pages that were in memory, or new
	MajorFaults []int64     `json:"major_faults,omitempty"` // of the tree: pages that were read from disk
	Threads     []int32     `json:"threads,omitempty"`      // of the tree, now
	PSS         *PSSSamples `json:"pss,omitempty"`
	GPU         *GPUSamples `json:"gpu,omitempty"`
	ClientCPU   []float64   `json:"client_cpu_seconds"`
	MachineCPU  []float64   `json:"machine_cpu_seconds,omitempty"` // of all programs on the client's machine
	Steal       []float64   `json:"steal_seconds,omitempty"`       // stolen from the client's machine by its host
}

// PSSSamples are of the proportional set size: each page is counted for the tree
// once, divided by how many processes of the machine share it. They are fewer than
// the others, since the kernel walks all of a process's pages for one.
type PSSSamples struct {
	At    []int64 `json:"at_us"`
	Bytes []int64 `json:"bytes"`
}

// GPUSamples are of all GPUs of the server's machine together, with times of their
// own. Energy counts from some instant before the cell, so differences are what it
// took: as the GPUs counted it, or power summed over time where one does not count.
type GPUSamples struct {
	Count       int       `json:"count"` // of the GPUs
	At          []int64   `json:"at_us"`
	Utilization []float64 `json:"utilization_percent"` // share of time with a kernel at work, mean over the GPUs
	Bytes       []int64   `json:"memory_bytes"`        // of the server's process tree where Own, else of all processes
	Watts       []float64 `json:"watts"`
	Joules      []float64 `json:"joules"`
	Own         bool      `json:"own_memory"`
}

// Package record is the raw schema of a benchmark: what was sent, when, what
// came back, and what the machine did meanwhile. Every table, chart and finding
// is derived from these records and can be derived again from results.json.
//
// It holds no statistics and draws nothing.
package record

import (
	"strings"
	"time"
)

// Schema is the version of the layout below, written into every file.
const Schema = 1

// Results is the whole of results.json.
type Results struct {
	Schema   int       `json:"schema"`
	Manifest Manifest  `json:"manifest"`
	Stacks   []Stack   `json:"stacks"`
	Cells    []Cell    `json:"cells"`
	Warnings []Warning `json:"warnings,omitempty"`
}

// Manifest says what was measured, with what, on what.
type Manifest struct {
	Version  string         `json:"version"`
	Commit   string         `json:"commit,omitempty"`
	Command  []string       `json:"command"`
	Started  time.Time      `json:"started"`
	Finished time.Time      `json:"finished"`
	Seed     uint64         `json:"seed"`
	Config   map[string]any `json:"config"`
	Machine  Machine        `json:"machine"`
	Model    Model          `json:"model"`
	Data     Data           `json:"data"`
}

// Machine describes the hardware and system of the servers under test.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memory_bytes"`
	OS          string `json:"os"`
	Kernel      string `json:"kernel"`
	Governor    string `json:"governor,omitempty"`
	CPULevel    string `json:"cpu_level"` // the kernel ladder's level in use
	GPU         string `json:"gpu,omitempty"`
	GPUReader   string `json:"gpu_reader,omitempty"` // what read the GPUs: nvml, nvidia-smi
	GPUAbsent   string `json:"gpu_absent,omitempty"` // why there are no GPU figures
	GoVersion   string `json:"go_version"`
	Threads     int    `json:"threads"` // given to every server alike
}

// Model names the weights every stack served.
type Model struct {
	Name      string            `json:"name"`
	Revision  string            `json:"revision,omitempty"`
	Files     map[string]string `json:"files,omitempty"` // file name to SHA-256
	Dim       int               `json:"dim"`
	MaxTokens int               `json:"max_tokens"`
	DType     string            `json:"dtype"`
}

// Data names the texts.
type Data struct {
	Source     string  `json:"source"`
	SHA256     string  `json:"sha256"`
	Texts      int     `json:"texts"`
	MeanChars  float64 `json:"mean_chars"`
	MeanTokens float64 `json:"mean_tokens"`
}

// Stack is one service under test.
type Stack struct {
	Name         string            `json:"name"` // paceline/fastapi is a profile, fastapi the real thing
	Dialect      string            `json:"dialect"`
	Door         string            `json:"door"` // the API and encoding it was driven through
	Policy       string            `json:"policy,omitempty"`
	URL          string            `json:"url"`
	Command      []string          `json:"command,omitempty"`
	ReadySeconds float64           `json:"ready_seconds,omitempty"`
	Resources    string            `json:"resources,omitempty"`      // where its resource figures come from; "": there are none
	IdleBytes    int64             `json:"idle_bytes,omitempty"`     // resident memory of its process tree after one text, before load
	IdlePSSBytes int64             `json:"idle_pss_bytes,omitempty"` // the same as proportional set size
	IdleGPUBytes int64             `json:"idle_gpu_bytes,omitempty"` // the same of GPU memory
	Info         map[string]string `json:"info,omitempty"`
	Agreement    Agreement         `json:"agreement"`
	Quality      *Quality          `json:"quality,omitempty"` // nil: not asked for
	MaxBatch     MaxBatch          `json:"max_batch"`
	Goodput      *Goodput          `json:"goodput,omitempty"` // nil: not searched for
	Error        string            `json:"error,omitempty"`   // why it could not be measured; its log's tail
}

// Agreement compares a stack's vectors of the probe texts with the reference.
type Agreement struct {
	Texts      int       `json:"texts"`
	MeanCosine float64   `json:"mean_cosine"`
	MinCosine  float64   `json:"min_cosine"`
	Cosines    []float64 `json:"cosines,omitempty"` // of each probe text, in their order
	Comparable bool      `json:"comparable"`
	Reason     string    `json:"reason,omitempty"`
}

// MaxBatch is the largest batch the stack accepted and completed within the bound.
type MaxBatch struct {
	Size    int     `json:"size"`
	Seconds float64 `json:"seconds"`
	Limit   string  `json:"limit"` // what ended the search: refused, too slow, ceiling of the search
}

// Sweep names the quantity that a cell varies.
type Sweep string

// The sweeps of the comparison.
const (
	SweepBatchSize   Sweep = "batch_size"  // one client, texts a request
	SweepConcurrency Sweep = "concurrency" // clients at one batch size
	SweepTextLength  Sweep = "text_length" // characters a text: memory
	SweepOffline     Sweep = "offline"     // everything at once: the ceiling of batch efficiency
	SweepOnline      Sweep = "online"      // one text a request, several clients: the latency column
	SweepStress      Sweep = "stress"      // minutes of load
	SweepRate        Sweep = "rate"        // an open loop at Rate: latency by arrival rate
	SweepGoodput     Sweep = "goodput"     // one try of the search for the highest rate that keeps an objective; Repeat is its number
	SweepScenario    Sweep = "scenario"    // one of MLPerf's, named in Scenario
)

// OfflineSamples is MLPerf's least of texts in a repeat of the scenario offline. Shorter
// efforts send fewer and say so.
const OfflineSamples = 24576

// Cell is one timed slice: one stack at one point of one sweep, one repeat.
type Cell struct {
	Stack         string     `json:"stack"`
	Sweep         Sweep      `json:"sweep"`
	BatchSize     int        `json:"batch_size"`
	Concurrency   int        `json:"concurrency"`
	TextLength    int        `json:"text_length,omitempty"` // characters; 0: the data set's own
	Rate          float64    `json:"rate,omitempty"`        // requests a second in open loop; 0: closed loop
	Arrivals      string     `json:"arrivals,omitempty"`    // of an open loop: constant, poisson, bursts:8 (their mean size), trace:FILE
	Mix           string     `json:"mix,omitempty"`         // distribution of the requests' shapes; BatchSize is then its rounded mean
	Scenario      string     `json:"scenario,omitempty"`    // single-stream, multi-stream, server, offline
	Repeat        int        `json:"repeat"`
	Started       time.Time  `json:"started"`
	WarmupSeconds float64    `json:"warmup_seconds"`
	Seconds       float64    `json:"seconds"` // length of the timed slice: from the first sending to the last reply
	Requests      Requests   `json:"requests"`
	Breakdown     *Breakdown `json:"breakdown,omitempty"` // nil: the service does not tell
	Samples       Samples    `json:"samples"`
	Late          int        `json:"late_sends,omitempty"` // requests of an open loop that the client sent more than 1 ms after their time
	PeakBytes     int64      `json:"peak_bytes,omitempty"` // peak resident memory of the server's process tree; finds what falls between two samples
	Invalid       string     `json:"invalid,omitempty"`    // why the cell must not be believed, and what to do
}

// Requests are the cell's requests by column. Times are microseconds from the
// cell's start; warm-up requests are not among them.
type Requests struct {
	Intended []int64  `json:"intended_us"` // when the schedule wanted it sent
	Sent     []int64  `json:"sent_us"`
	Finished []int64  `json:"finished_us"`
	Texts    []int32  `json:"texts"`
	Tokens   []int32  `json:"tokens,omitempty"`
	Outcome  []string `json:"outcome"` // ok, or the kind of error: refused, reset, timeout, 429, 4xx, 5xx, malformed, wrong_count, wrong_dim, nan
}

// Add appends one request; its times count from the cell's start. Tokens that
// are not known (0) are left out, for all requests of a cell or for none.
func (r *Requests) Add(intended, sent, finished time.Duration, texts, tokens int, outcome string) {
	r.Intended = append(r.Intended, intended.Microseconds())
	r.Sent = append(r.Sent, sent.Microseconds())
	r.Finished = append(r.Finished, finished.Microseconds())
	r.Texts = append(r.Texts, int32(texts))
	if tokens > 0 {
		r.Tokens = append(r.Tokens, int32(tokens))
	}
	r.Outcome = append(r.Outcome, outcome)
}

// Warning is a doubt about the run that a reader must see, with what to do.
type Warning struct {
	Stack  string `json:"stack,omitempty"`
	Code   string `json:"code"`
	Text   string `json:"text"`
	Advice string `json:"advice"`
}

// String is the warning as a reader meets it: whose it is, what, and what to do.
func (w Warning) String() string {
	line := w.Text
	if !strings.HasSuffix(line, ".") { // it may be an error's
		line += "."
	}
	if w.Stack != "" && !strings.HasPrefix(line, w.Stack+" ") {
		line = w.Stack + ": " + line
	}
	return strings.TrimSpace(line + " " + w.Advice)
}

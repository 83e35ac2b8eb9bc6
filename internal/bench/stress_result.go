package bench

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// StressResult is what stress_test_results_{timestamp}.json holds. The first five
// members are the proof of concept's; times are in seconds.
type StressResult struct {
	Seconds    float64        `json:"test_duration_seconds"` // until the last reply, at least as long as the schedule
	Requests   int            `json:"total_requests"`
	Successful int            `json:"successful_requests"`
	PerSecond  float64        `json:"requests_per_second"` // successful ones
	Latency    LatencyMetrics `json:"latency_metrics"`

	SuccessRate   float64                   `json:"success_rate"`
	Embeddings    float64                   `json:"embeddings_per_second"`
	Errors        map[driver.Outcome]int    `json:"errors"`
	ErrorMessages map[driver.Outcome]string `json:"error_messages,omitempty"` // the first of each kind
	Uncertified   []string                  `json:"uncertified_percentiles"`  // of latency_metrics: too few successes stand behind them
	ServiceMean   *float64                  `json:"service_time_mean"`        // from the sending, not the intended time
	Late          int                       `json:"late_sends"`
	Interrupted   bool                      `json:"interrupted"`

	ClientCPU    float64           `json:"client_cpu_seconds"`
	ServerCPU    *float64          `json:"server_cpu_seconds"`        // of its process tree; null: it is not on this machine
	PerCPUSecond *float64          `json:"embeddings_per_cpu_second"` // of the server's process tree
	StartMemory  *int64            `json:"server_memory_start_bytes"` // resident, of its process tree
	PeakMemory   *int64            `json:"server_memory_peak_bytes"`  // likewise
	Cores        *float64          `json:"server_cpu_cores"`          // in use in the mean
	StealShare   float64           `json:"stolen_share"`              // of the machine's time, by its host
	OthersShare  float64           `json:"others_share"`              // of the machine's time, by programs that are neither client nor server; 0 where that is not known
	GPU          *GPUUse           `json:"gpu"`                       // null: see gpu_absent
	Resources    string            `json:"resources,omitempty"`       // who tells of the server: its process, an agent, its metrics
	Breakdown    *record.Breakdown `json:"breakdown,omitempty"`       // where the requests' time went, in sums; null: the service does not tell
	GPUAbsent    string            `json:"gpu_absent,omitempty"`

	Started  time.Time        `json:"started"`
	Finished time.Time        `json:"finished"`
	Door     string           `json:"door"`
	Records  string           `json:"records,omitempty"` // the file of the raw records
	Warnings []record.Warning `json:"warnings"`
	Manifest record.Manifest  `json:"manifest"`

	elsewhere bool // the server is, or may be, on another machine
}

// LatencyMetrics are of the successful requests, in seconds from their intended
// time; null when there are none.
type LatencyMetrics struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P90  *float64 `json:"p90"`
	P99  *float64 `json:"p99"`
}

func (t *tally) result(elapsed time.Duration) *StressResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &StressResult{
		Seconds: elapsed.Seconds(), Requests: t.requests, Successful: t.requests - t.failed(),
		Errors: t.failures, Late: t.late, Uncertified: []string{},
	}
	if r.Requests > 0 {
		r.SuccessRate = float64(r.Successful) / float64(r.Requests)
	}
	if elapsed > 0 {
		r.PerSecond = float64(r.Successful) / elapsed.Seconds()
		r.Embeddings = float64(t.embedded) / elapsed.Seconds()
	}
	if r.Successful > 0 {
		r.Latency.Mean = pointer(t.sum.Seconds() / float64(r.Successful))
		r.ServiceMean = pointer(t.service.Seconds() / float64(r.Successful))
	}
	for _, p := range []struct {
		name  string
		share float64
		to    **float64
	}{{"p50", 0.50, &r.Latency.P50}, {"p90", 0.90, &r.Latency.P90}, {"p99", 0.99, &r.Latency.P99}} {
		if r.Successful > 0 {
			*p.to = pointer(t.quantile(p.share))
		}
		if r.Successful < stat.MinSamples(p.share) {
			r.Uncertified = append(r.Uncertified, p.name)
		}
	}
	return r
}

func pointer[T any](v T) *T { return &v }

// stressUsage adds up the windows' samples.
type stressUsage struct {
	client, server float64
	steal, others  float64
	local          bool
	start, peak    int64
	gpu            *GPUUse
	times          *record.Breakdown
	from           string
	elsewhere      bool
}

func (u *stressUsage) add(c *record.Cell) {
	s := c.Samples
	u.client += spent(s.ClientCPU)
	u.server += spent(s.CPU)
	u.steal += spent(s.Steal)
	u.others += others(s)
	u.peak = max(u.peak, c.PeakBytes)
	u.gpu = u.gpu.add(s.GPU)
	u.times = addBreakdown(u.times, c.Breakdown)
	if s.From != "" {
		u.from, u.elsewhere = s.From, s.Elsewhere()
	}
	if len(s.RSS) > 0 && !u.local {
		u.local, u.start = true, s.RSS[0]
	}
}

func (r *StressResult) addUsage(k *keeper, elapsed time.Duration) {
	u := k.usage
	r.ClientCPU = u.client
	r.GPU = u.gpu.total(k.tally.embedded)
	r.Breakdown, r.Resources, r.elsewhere = u.times, u.from, u.elsewhere
	if elapsed > 0 {
		wanted := elapsed.Seconds() * float64(runtime.NumCPU())
		r.StealShare, r.OthersShare = u.steal/wanted, max(0, u.others/wanted)
	}
	if !u.local || elapsed <= 0 {
		return
	}
	r.ServerCPU, r.StartMemory, r.PeakMemory = &u.server, &u.start, &u.peak
	r.Cores = pointer(u.server / elapsed.Seconds())
	if u.server > 0 {
		r.PerCPUSecond = pointer(float64(k.tally.embedded) / u.server)
	}
}

// doubts lists what a reader must know before he believes the figures.
func (r *StressResult) doubts(c StressConfig, throughput, latency []float64) []record.Warning {
	list := []record.Warning{}
	doubt := func(doubted bool, code, advice, text string, args ...any) {
		if doubted {
			list = append(list, record.Warning{Code: code, Text: fmt.Sprintf(text, args...), Advice: advice})
		}
	}
	drifted := unsteady(throughput, latency)
	doubt(r.Interrupted, "interrupted", "Let it run to its end if it is to be compared.",
		"Ended after %.0f s of %.0f.", r.Seconds, c.Duration.Seconds())
	doubt(float64(r.Requests-r.Successful) > mostErrors*float64(r.Requests), "errors", "See errors and error_messages; the latencies are of the successes alone.",
		"%d of %s failed.", r.Requests-r.Successful, english.Plural(r.Requests, "request", ""))
	doubt(float64(r.Late) > mostLate*float64(r.Requests), "late", "Lower the rate, or run the client on another machine.",
		"The client sent %d of %s late.", r.Late, english.Plural(r.Requests, "request", ""))
	doubt(len(r.Uncertified) > 0, "uncertified", "Run longer.", "%s too few for %s.", english.Plural(r.Successful, "success is", "successes are"), strings.Join(r.Uncertified, ", "))
	doubt(r.ServerCPU != nil && !r.elsewhere && r.ClientCPU > *r.ServerCPU, "client_busy", "Run the client on another machine.",
		"The client used more CPU (%.1f s) than the server.", r.ClientCPU)
	doubt((r.ServerCPU == nil || r.elsewhere) && r.ClientCPU > mostClientCPU*r.Seconds*float64(runtime.GOMAXPROCS(0)), "client_busy", "Run the client on another machine.",
		"The client used %.1f s of CPU in %.1f s.", r.ClientCPU, r.Seconds)
	doubt(r.StealShare > mostSteal, "steal", "Repeat the run on a quiet machine.", "The host gave %.0f %% of this machine's time to others.", 100*r.StealShare)
	doubt(r.OthersShare > mostOthers, "others", "See what else runs here, end it, and repeat the run.", "Other programs took %.0f %% of this machine's time.", 100*r.OthersShare)
	doubt(drifted != "", "trend", "Warm the service up, or see what it runs out of.", "%s: no steady state.", drifted)
	return list
}

// mostLate is the share of late sends beyond which an open loop is doubted.
const mostLate = 0.01

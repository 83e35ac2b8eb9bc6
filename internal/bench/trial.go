package bench

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/goodput"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
)

// trial is a try of the search for goodput as it goes on.
type trial struct {
	slo    goodput.SLO
	held   goodput.Held
	judged goodput.Judgement
	drift  string
	doubt  string // why the client may have set the pace
	record record.Try
}

// add takes a stretch of holding the rate.
func (t *trial) add(cell *record.Cell) {
	r := cell.Requests
	for i, outcome := range r.Outcome {
		if outcome != string(driver.OK) {
			t.held.Failures++
			continue
		}
		t.record.Texts += int(r.Texts[i])
		t.held.Latencies = append(t.held.Latencies, time.Duration(r.Finished[i]-r.Intended[i])*time.Microsecond)
	}
	t.record.Seconds += cell.Seconds
	t.record.Late += cell.Late
	t.judged = t.slo.Judge(t.held)
	if what := drift(cell); what != "" {
		t.drift = what
	}
	if why := busyClient(cell, runtime.GOMAXPROCS(0)); why != "" {
		t.doubt = why
	}
}

// hopeless says when so many requests of a stretch of about n were beyond a limit that
// the rest cannot change it.
func (t *trial) hopeless(n float64) func(load.Sample) bool {
	over := make([]int, len(t.slo.Percentiles))
	return func(x load.Sample) bool {
		for i, p := range t.slo.Percentiles {
			if x.Outcome == driver.OK && x.Latency() <= p.Limit {
				continue
			}
			over[i]++
			if expected := (1 - p.Share) * n; float64(over[i]) > expected+4*math.Sqrt(expected)+4 {
				return true
			}
		}
		return false
	}
}

func (t *trial) undecided() bool { return !t.judged.Passed && !t.judged.Failed }

// decide writes the verdict. What is not shown counts as failed, and so does an
// objective that is kept while the latency rises.
func (t *trial) decide() {
	r := &t.record
	r.Requests, r.Failures, r.Bounds = t.held.Requests(), t.held.Failures, t.judged.Bounds
	if float64(r.Late) > mostLate*float64(r.Requests) {
		t.doubt = fmt.Sprintf("%d of %d requests were sent late: client and service may share a machine that is too small, and the rate may be too low. Run the client on another machine.", r.Late, r.Requests)
	}
	switch {
	case t.judged.Passed && t.drift == "":
		r.Verdict = record.Passed
		return
	case t.judged.Passed:
		r.Reason = t.drift
	case t.judged.Failed:
		r.Reason = t.missed()
	default:
		r.Reason = fmt.Sprintf("not shown by %s: %s", english.Plural(r.Requests, "request", ""), t.missed())
	}
	if r.Verdict = record.Failed; t.doubt != "" {
		r.Verdict = record.Suspect
	}
}

// missed names the bound that is furthest from being met.
func (t *trial) missed() string {
	bounds := t.judged.Bounds
	worst := bounds[len(bounds)-1]
	if worst.Value > worst.Limit {
		return fmt.Sprintf("%s: %.3g %% failed", worst.Bound, 100*worst.Value)
	}
	for i, b := range bounds[:len(bounds)-1] {
		if i == 0 || b.Confidence < worst.Confidence {
			worst = b
		}
	}
	return fmt.Sprintf("%s: it was %.4g ms, %d of %d requests were beyond the limit and %d may be", worst.Bound, 1e3*worst.Value, worst.Over, t.record.Requests, max(0, worst.Allowed))
}

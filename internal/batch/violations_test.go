package batch

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// violations lists every promise of the package that a trace breaks.
func (tr *trace) violations(limits Limits, o Options) []string {
	var found []string
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	o = o.withDefaults()
	inFlight := limits.InFlight
	if inFlight == 0 {
		inFlight = o.Parallel
	}
	for i, out := range tr.outcomes {
		tr.checkOutcome(i, out, complain)
	}
	computed := tr.checkCalls(limits, o, complain)
	for i, out := range tr.outcomes {
		for k := range tr.jobs[i].tokens {
			if n := computed[[2]int32{int32(i), int32(k)}]; out.err == nil && n != 1 {
				complain("text %d of request %d was computed %d times", k, i, n)
			}
		}
	}
	if inFlight == 1 {
		tr.checkOrder(complain)
	}
	if tr.most > inFlight+o.Parallel {
		complain("%d engine calls side by side", tr.most)
	}
	if limits.Waiting > 0 && tr.mostQueue > limits.Waiting {
		complain("%d requests waited, the limit is %d", tr.mostQueue, limits.Waiting)
	}
	tr.checkStats(complain)
	return found
}

// checkOutcome holds one answer against its job.
func (tr *trace) checkOutcome(i int, out outcome, complain func(string, ...any)) {
	job := tr.jobs[i]
	switch {
	case out.err == nil:
		if job.trouble != 0 {
			complain("request %d is bad and was answered", i)
		}
		for k, item := range job.items(i) {
			if want := vectorOf(item.IDs); len(out.vectors) <= k || [3]float32(out.vectors[k]) != [3]float32(want) {
				complain("request %d text %d: wrong vector", i, k)
			}
		}
		if got := out.report.Queued + out.report.Inference; got != out.answered.Sub(out.arrived) {
			complain("request %d: queued %v and inference %v do not add up to %v", i, out.report.Queued, out.report.Inference, out.answered.Sub(out.arrived))
		}
		if out.report.Texts == 0 || out.report.Requests == 0 || out.report.Tokens == 0 {
			complain("request %d: report without its batch: %+v", i, out.report)
		}
	case errors.Is(out.err, ErrOverloaded):
		if out.answered != out.arrived {
			complain("request %d was refused after %v, not at once", i, out.answered.Sub(out.arrived))
		}
	case errors.Is(out.err, context.DeadlineExceeded):
		if job.patience == 0 || out.answered.After(out.left) {
			complain("request %d: %v at %v", i, out.err, out.answered)
		}
	case errors.Is(out.err, errPoison) && job.trouble == poison, errors.Is(out.err, ErrPanic) && job.trouble == bomb:
	default:
		complain("request %d is innocent and failed: %v", i, out.err)
	}
}

// checkCalls holds the engine's calls against the bounds and counts how often
// each text was computed by a call that succeeded.
func (tr *trace) checkCalls(limits Limits, o Options, complain func(string, ...any)) map[[2]int32]int {
	computed := map[[2]int32]int{}
	for _, call := range tr.calls {
		if call.tokens > o.RunTokens && len(call.texts) > 1 {
			complain("an engine call of %d tokens", call.tokens)
		}
		if limits.RunTexts > 0 && len(call.texts) > limits.RunTexts {
			complain("an engine call of %d texts", len(call.texts))
		}
		for _, text := range call.texts {
			if out := tr.outcomes[text[0]]; !out.left.IsZero() && !call.at.Before(out.left) {
				complain("request %d was computed after its client had left", text[0])
			}
			if call.err == nil {
				computed[text]++
			}
		}
	}
	return computed
}

// checkOrder wants the requests of the policy's queue to enter the engine in the
// order of their arrival. Those that arrive at the same instant have no order.
func (tr *trace) checkOrder(complain func(string, ...any)) {
	latest := time.Time{}
	seen := map[int32]bool{}
	for _, call := range tr.calls {
		for _, text := range call.texts {
			job := text[0]
			if tr.jobs[job].direct || seen[job] {
				continue
			}
			seen[job] = true
			if arrived := tr.outcomes[job].arrived; arrived.Before(latest) {
				complain("request %d entered the engine after a younger one", job)
			} else {
				latest = arrived
			}
		}
	}
}

// checkStats wants every request counted once, and nothing left behind.
func (tr *trace) checkStats(complain func(string, ...any)) {
	s := tr.stats
	if tr.drainErr != nil {
		complain("drain: %v", tr.drainErr)
	}
	if s.Waiting != 0 || s.WaitingTexts != 0 || s.WaitingTokens != 0 || s.Running != 0 {
		complain("a drained queue holds %+v", s)
	}
	if n := s.Requests + s.Refused + s.Abandoned + s.Failed; n != uint64(len(tr.jobs)) {
		complain("%d of %d requests were counted: %+v", n, len(tr.jobs), s)
	}
}

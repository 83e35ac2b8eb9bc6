package report

import (
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
)

// windowRequests are how many requests a window must hold on average, so that its
// rate is not that of the one or two that happened to end in it.
const windowRequests = 10

// joinWindows makes one of as many windows as it takes: where requests last longer than
// a window, most windows hold none, and their median rate is zero.
func joinWindows(cells []record.Cell) []record.Cell {
	requests := 0
	for _, c := range cells {
		requests += len(c.Requests.Outcome)
	}
	if requests == 0 || requests >= windowRequests*len(cells) {
		return cells
	}
	size := (windowRequests*len(cells) + requests - 1) / requests
	var joined []record.Cell
	for group := range slices.Chunk(cells, size) {
		if len(group) < size && len(joined) > 0 { // the rest is no window of its own
			appendWindows(&joined[len(joined)-1], group)
			continue
		}
		whole := group[0]
		whole.Repeat = len(joined)
		appendWindows(&whole, group[1:])
		joined = append(joined, whole)
	}
	return joined
}

// appendWindows lets a window go on over those that follow it. Where a request's time
// went is not carried over: its percentiles cannot be added.
func appendWindows(c *record.Cell, more []record.Cell) {
	for _, next := range more {
		shift := next.Started.Sub(c.Started)
		c.Seconds = shift.Seconds() + next.Seconds
		c.Late += next.Late
		c.PeakBytes = max(c.PeakBytes, next.PeakBytes)
		c.Breakdown = nil
		if c.Invalid == "" {
			c.Invalid = next.Invalid
		}
		appendRequests(&c.Requests, next.Requests, shift.Microseconds())
		appendSamples(&c.Samples, next.Samples, shift.Microseconds())
	}
}

func appendRequests(r *record.Requests, more record.Requests, shift int64) {
	r.Intended = append(r.Intended, shifted(more.Intended, shift)...)
	r.Sent = append(r.Sent, shifted(more.Sent, shift)...)
	r.Finished = append(r.Finished, shifted(more.Finished, shift)...)
	r.Texts = append(r.Texts, more.Texts...)
	r.Tokens = append(r.Tokens, more.Tokens...)
	r.Outcome = append(r.Outcome, more.Outcome...)
}

func appendSamples(s *record.Samples, more record.Samples, shift int64) {
	s.At = append(s.At, shifted(more.At, shift)...)
	s.CPU = append(s.CPU, more.CPU...)
	s.RSS = append(s.RSS, more.RSS...)
	s.MinorFaults = append(s.MinorFaults, more.MinorFaults...)
	s.MajorFaults = append(s.MajorFaults, more.MajorFaults...)
	s.Threads = append(s.Threads, more.Threads...)
	s.ClientCPU = append(s.ClientCPU, more.ClientCPU...)
	s.MachineCPU = append(s.MachineCPU, more.MachineCPU...)
	s.Steal = append(s.Steal, more.Steal...)
	if s.PSS != nil && more.PSS != nil {
		s.PSS.At = append(s.PSS.At, shifted(more.PSS.At, shift)...)
		s.PSS.Bytes = append(s.PSS.Bytes, more.PSS.Bytes...)
	}
	if g := s.GPU; g != nil && more.GPU != nil {
		g.At = append(g.At, shifted(more.GPU.At, shift)...)
		g.Utilization = append(g.Utilization, more.GPU.Utilization...)
		g.Bytes = append(g.Bytes, more.GPU.Bytes...)
		g.Watts = append(g.Watts, more.GPU.Watts...)
		g.Joules = append(g.Joules, more.GPU.Joules...)
	}
}

func shifted(times []int64, by int64) []int64 {
	moved := make([]int64, len(times))
	for i, t := range times {
		moved[i] = t + by
	}
	return moved
}

package goodput

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize/english"
)

// Search decides which rate to try next. It brackets the goodput by doubling or
// halving, halves the bracket on a logarithmic scale until its ends are close, and
// then wants the lower end confirmed by a fresh run; one that fails there counts as
// failing, and the search goes on below it.
//
// Invariant: every rate that passed and still counts is below every one that failed.
type Search struct {
	limits  Limits
	rate    float64
	confirm bool
	passed  []float64 // ascending; the last is the highest
	failing float64   // the lowest; 0: none yet
	tries   int
	ended   string
	found   bool
}

// Limits bound a search.
type Limits struct {
	Least, Most float64 // rates, requests a second
	Precision   float64 // share by which the ends of the bracket may differ at last
	Tries       int
}

// NewSearch begins at a rate, which is moved within the limits.
func NewSearch(start float64, l Limits) *Search {
	return &Search{limits: l, rate: min(max(start, l.Least), l.Most)}
}

// Next is the rate to hold now, and whether it is held to confirm it. It is the same
// until [Search.Done] is told; ok is false at the end.
func (s *Search) Next() (rate float64, confirm, ok bool) {
	return s.rate, s.confirm, s.ended == ""
}

// Done says how the try at the next rate went.
func (s *Search) Done(passed bool) {
	s.tries++
	switch {
	case passed && s.confirm:
		s.found = true
		s.end("confirmed by a fresh run")
		return
	case passed:
		s.passed = append(s.passed, s.rate)
	default:
		s.fail()
	}
	if s.step(); s.ended == "" && s.tries >= s.limits.Tries {
		s.end(fmt.Sprintf("given up after %s without a confirmed rate", english.Plural(s.tries, "try", "")))
	}
}

// fail drops every passed rate that is not below the one that failed now.
func (s *Search) fail() {
	s.failing = s.rate
	for len(s.passed) > 0 && s.passed[len(s.passed)-1] >= s.rate {
		s.passed = s.passed[:len(s.passed)-1]
	}
}

// step chooses the next rate.
func (s *Search) step() {
	low, high := s.passing(), s.failing
	s.confirm = false
	switch {
	case low == 0 && high <= s.limits.Least:
		s.end(fmt.Sprintf("it does not hold %.3g requests/s, the least that is tried", s.limits.Least))
	case low == 0:
		s.rate = max(high/2, s.limits.Least)
	case high == 0 && low >= s.limits.Most, high != 0 && high <= low*(1+s.limits.Precision):
		s.rate, s.confirm = low, true
	case high == 0:
		s.rate = min(2*low, s.limits.Most)
	default:
		s.rate = math.Sqrt(low * high)
	}
}

func (s *Search) end(why string) { s.ended = why }

// Give ends the search for a reason of the caller's.
func (s *Search) Give(why string) { s.end(why) }

// passing is the highest rate that passed; 0: none.
func (s *Search) passing() float64 {
	if len(s.passed) == 0 {
		return 0
	}
	return s.passed[len(s.passed)-1]
}

// Result is the confirmed rate (0: none), the lowest that failed (0: none did) and
// why the search ended.
func (s *Search) Result() (rate, failing float64, ended string) {
	if s.found {
		rate = s.passing()
	}
	return rate, s.failing, s.ended
}

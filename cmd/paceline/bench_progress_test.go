package main

import (
	"strings"
	"testing"
	"time"
)

// TestBenchProgressCountsThePlan: slices before it, such as those of the memory, and
// after it, such as the scenarios', are not counted as its own.
func TestBenchProgressCountsThePlan(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	p := &benchProgress{w: &said, started: time.Now()}
	measure := func(slices int) {
		for range slices {
			p.Measured(nil)
		}
	}
	measure(3)
	p.Planned(4, time.Minute)
	measure(4)
	measure(5)
	if got := said.String(); !strings.Contains(got, "  4 of 4 slices, ") || strings.Contains(got, "5 of 4") || strings.Contains(got, " 7 of") {
		t.Errorf("%s", got)
	}
	p.Planned(2, time.Minute) // the rates follow the sweeps
	measure(2)
	if got := said.String(); !strings.Contains(got, "  6 of 6 slices, ") {
		t.Errorf("%s", got)
	}
}

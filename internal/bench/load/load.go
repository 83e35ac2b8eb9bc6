// Package load decides when requests are sent and writes down three times of
// each: when it was to be sent, when it was sent, when its reply was there.
//
// Two kinds of load: a closed loop of clients that each wait for their reply
// (what the service can do at that concurrency), and an open loop that follows
// a schedule made before the run, whatever the service does (what latency users
// see at that rate). Latency counts from the intended time: a service that
// stalls makes later requests late, and they must not be left out
// (coordinated omission; G. Tene's wrk2 and MLPerf LoadGen count so too).
//
// It does not know what a request holds or which API it speaks (driver does),
// and computes no statistics. Invariants: requests are recorded one at a time,
// in the order of their ends; one that the run's end cut off is not recorded;
// no goroutine is left when Run returns.
package load

import (
	"context"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
)

// LateAfter is how far behind its schedule a request may go out before it
// counts as a late send: ten times what the system's timers take on an idle
// machine, below the latencies that are to be measured.
const LateAfter = time.Millisecond

// Do sends request number seq and waits for its end. It is called concurrently.
type Do func(ctx context.Context, seq int) driver.Outcome

// Sample is one finished request; its times count from the start of the run.
type Sample struct {
	Seq      int           // the number that Do was called with, from 0
	Intended time.Duration // when it was to be sent
	Sent     time.Duration // when it was sent
	Finished time.Duration // when it ended
	Outcome  driver.Outcome
}

// Latency is what a user waits: from the intended time on.
func (s Sample) Latency() time.Duration { return s.Finished - s.Intended }

// Late tells whether the client, not the service, delayed the request.
func (s Sample) Late() bool { return s.Sent-s.Intended > LateAfter }

// Sink receives the samples, never two at once.
type Sink func(Sample)

// Run is what happened as a whole.
type Run struct {
	Started time.Time
	Elapsed time.Duration // until the last request ended
}

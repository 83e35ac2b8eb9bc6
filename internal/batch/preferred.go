package batch

import (
	"slices"
	"time"
)

// Preferred is Triton's dynamic batcher (src/dynamic_batch_scheduler.cc of its
// core): requests are never split, a batch of a preferred size goes at once, any
// other waits until the oldest request has waited for Delay.
type Preferred struct {
	MaxTexts  int           // max_batch_size
	Sizes     []int         // preferred_batch_size, in texts
	Delay     time.Duration // max_queue_delay_microseconds
	Queue     int           // default_queue_policy's max_queue_size, in requests; Triton's 0 (no bound) is not kept
	Instances int           // instance_group's count: batches in the engine at once

	Ordered  bool                   // preserve_ordering
	Levels   uint64                 // priority_levels; 0: all requests are alike
	Default  uint64                 // default_priority_level
	Policy   QueuePolicy            // default_queue_policy
	Policies map[uint64]QueuePolicy // priority_queue_policy
}

// QueuePolicy is Triton's ModelQueuePolicy.
type QueuePolicy struct {
	Delay    bool          // timeout_action: DELAY instead of REJECT
	Timeout  time.Duration // default_timeout_microseconds; 0: none
	Override bool          // allow_timeout_override: a request may ask for a shorter one
	Size     int           // max_queue_size; 0: not counted
}

// Rank places a request by its priority, under the policy of that priority. As in
// Triton a request may shorten the timeout and never lengthen it.
func (p Preferred) Rank(j *Job) Rank {
	level := uint64(0)
	if p.Levels > 0 {
		if level = j.Priority; level == 0 || level > p.Levels {
			level = p.Default
		}
	}
	policy, own := p.Policies[level]
	if !own {
		policy = p.Policy
	}
	timeout := policy.Timeout
	if policy.Override && j.Timeout > 0 && j.Timeout < timeout {
		timeout = j.Timeout
	}
	return Rank{Level: level, Waiting: policy.Size, Timeout: timeout, Delay: policy.Delay}
}

// Name is "preferred".
func (Preferred) Name() string { return "preferred" }

// Limits allow a batch per instance.
func (p Preferred) Limits() Limits {
	return Limits{InFlight: p.Instances, Waiting: p.Queue, RunTexts: p.MaxTexts, Ordered: p.Ordered}
}

// Next takes, of the requests that fit into a batch, the longest run whose texts
// add up to a preferred size; all of them once the oldest has waited for Delay
// or when no more could be added. A request larger than MaxTexts, which Triton
// refuses at its door, is taken MaxTexts texts at a time.
func (p Preferred) Next(s State, now time.Time) Decision {
	fitting, preferred, full := p.scan(s.Waiting)
	due := oldest(s.Waiting, fitting).Add(p.Delay)
	late := p.Delay > 0 && !now.Before(due)
	switch {
	case preferred > 0 && !late && !s.Closing:
		return take(preferred)
	case full || late || s.Closing || p.Delay <= 0:
		return take(fitting)
	default:
		return waitUntil(due)
	}
}

// oldest is when the oldest of the requests with the first so many texts came,
// which priorities may have put behind younger ones.
func oldest(waiting []Waiting, texts int) time.Time {
	at := waiting[0].Arrived
	for i := 0; i < len(waiting) && texts > 0; i++ {
		at = earlier(at, waiting[i].Arrived)
		texts -= len(waiting[i].Items)
	}
	return at
}

// scan adds up requests in order. fitting is the sum of those that fit into one
// batch, preferred the last preferred sum on the way (0: none), and full tells
// that the batch cannot grow to any preferred size any more.
func (p Preferred) scan(waiting []Waiting) (fitting, preferred int, full bool) {
	largest := p.MaxTexts
	if len(p.Sizes) > 0 {
		largest = slices.Max(p.Sizes)
	}
	for _, w := range waiting {
		next := fitting + len(w.Items)
		if fitting > 0 && next > largest && preferred == 0 {
			preferred = fitting // no preferred size can be met: this is the best there is
		}
		if next > p.MaxTexts {
			return max(fitting, min(next, p.MaxTexts)), preferred, true
		}
		fitting = next
		if slices.Contains(p.Sizes, fitting) {
			preferred = fitting
		}
	}
	return fitting, preferred, fitting >= largest
}

package batch

import "time"

// Bounds of the hint that a refused request gets.
const (
	soonest = 100 * time.Millisecond
	latest  = time.Minute
)

// pace is a moving average of how long a batch takes per token: what a refused
// request is told rests on it.
type pace struct{ perToken float64 } // nanoseconds; 0 before the first batch

func (p *pace) observe(tokens int, took time.Duration) {
	if tokens == 0 { // texts that are nothing to a static embedding
		return
	}
	sample := float64(took) / float64(tokens)
	if p.perToken == 0 {
		p.perToken = sample
		return
	}
	p.perToken += (sample - p.perToken) / 8
}

// retryAfter estimates when the tokens that wait will have been computed, with
// so many batches side by side.
func (p *pace) retryAfter(tokens, inFlight int) time.Duration {
	estimate := p.perToken * float64(tokens) / float64(inFlight)
	return max(soonest, min(time.Duration(estimate), latest))
}

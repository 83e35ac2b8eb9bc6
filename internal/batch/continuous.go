package batch

import "time"

// Continuous takes what is waiting whenever the engine has room, and never waits
// on purpose, as vLLM's scheduler does. An encoder has no second step that a
// late text could join, so all that is left of continuous batching is this: the
// batch under way decides how many texts have gathered for the next.
type Continuous struct {
	Tokens int // max_num_batched_tokens
	Texts  int // max_num_seqs
	Queue  int // requests that may wait; another is refused, which vLLM leaves to others
	// Turns lets a request that needs several batches wait behind the others after
	// each, so that nobody waits for the whole of it. vLLM serves first who came first.
	Turns bool
}

// Name is "continuous".
func (Continuous) Name() string { return "continuous" }

// Limits allow as many batches as the engine runs side by side.
func (c Continuous) Limits() Limits {
	return Limits{Waiting: c.Queue, RunTexts: c.Texts, Turns: c.Turns}
}

// Next takes what fits and never waits.
func (c Continuous) Next(s State, _ time.Time) Decision {
	return take(fill(s.Waiting, c.Tokens, c.Texts))
}

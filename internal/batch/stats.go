package batch

import "time"

// Stats counts what went through a queue since it was made, and what is in it.
// Counts are of both ways in: through the policy's queue and direct.
type Stats struct {
	Batches   uint64 // batches that left the engine
	Requests  uint64 // requests answered with their results
	Texts     uint64 // texts that left the engine
	Tokens    uint64 // tokens that left the engine
	Refused   uint64 // requests refused for overload, or after they had waited too long
	Abandoned uint64 // requests whose client left or whose deadline passed
	Failed    uint64 // requests answered with the engine's error

	Queued    time.Duration // summed over Requests
	Inference time.Duration // summed over Batches: the time each spent in the engine

	Waiting       int // requests with texts that wait for the engine
	WaitingTexts  int
	WaitingTokens int
	Running       int // batches in the engine
}

// AverageBatch is the mean number of texts a batch.
func (s Stats) AverageBatch() float64 {
	return float64(s.Texts) / float64(max(s.Batches, 1))
}

// Plus is the counts of two queues together.
func (s Stats) Plus(o Stats) Stats {
	s.Batches += o.Batches
	s.Requests += o.Requests
	s.Texts += o.Texts
	s.Tokens += o.Tokens
	s.Refused += o.Refused
	s.Abandoned += o.Abandoned
	s.Failed += o.Failed
	s.Queued += o.Queued
	s.Inference += o.Inference
	s.Waiting += o.Waiting
	s.WaitingTexts += o.WaitingTexts
	s.WaitingTokens += o.WaitingTokens
	s.Running += o.Running
	return s
}

// BatchReport describes one batch that has left the engine.
type BatchReport struct {
	Policy    string // that formed it
	Requests  int
	Texts     int
	Tokens    int
	Inference time.Duration
}

package serve

import (
	"fmt"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
)

// Tuning overrides what a profile sets; a field that is 0 leaves it, and none may
// be negative.
type Tuning struct {
	BatchTokens   int
	BatchRequests int
	Concurrent    int
	Inputs        int
	Body          int64
	Truncate      *bool
	LongText      pipeline.LongText // unless empty, what becomes of inputs that are too long
}

// Tune applies the overrides. One that has no meaning for the profile's policy
// is an error: it would change nothing.
func (p Profile) Tune(t Tuning) (Profile, error) {
	if err := t.check(); err != nil {
		return p, err
	}
	if t.Concurrent > 0 {
		p.Limits.Concurrent = t.Concurrent
	}
	if t.Inputs > 0 {
		p.Limits.Inputs = t.Inputs
	}
	if t.Body > 0 {
		p.Limits.Body = t.Body
	}
	if t.Truncate != nil {
		p.Limits.Truncate = *t.Truncate
	}
	if t.LongText != "" {
		p.Limits.LongText, p.Limits.Truncate = t.LongText, t.LongText == pipeline.LongTruncate
	}
	switch policy := p.Policy.(type) {
	case batch.Budget:
		override(&policy.Tokens, t.BatchTokens)
		override(&policy.Texts, t.BatchRequests)
		override(&policy.Concurrent, t.Concurrent)
		p.Policy = policy
	case batch.Continuous:
		override(&policy.Tokens, t.BatchTokens)
		override(&policy.Texts, t.BatchRequests)
		p.Policy = policy
	case batch.Window:
		override(&policy.Requests, t.BatchRequests)
		t.BatchRequests = 0
		p.Policy = policy
		return p, meaningless(t, p)
	default:
		return p, meaningless(t, p)
	}
	return p, nil
}

func (t Tuning) check() error {
	for _, limit := range []struct {
		flag  string
		value int64
	}{
		{"--max-batch-tokens", int64(t.BatchTokens)},
		{"--max-batch-requests", int64(t.BatchRequests)},
		{"--max-concurrent-requests", int64(t.Concurrent)},
		{"--max-client-batch-size", int64(t.Inputs)},
		{"--payload-limit", t.Body},
	} {
		if limit.value < 0 {
			return fmt.Errorf("%s is %d; it must be at least 1, or 0 for the profile's", limit.flag, limit.value)
		}
	}
	return nil
}

func override(setting *int, by int) {
	if by > 0 {
		*setting = by
	}
}

func meaningless(t Tuning, p Profile) error {
	switch {
	case t.BatchTokens > 0:
		return fmt.Errorf("--max-batch-tokens has no meaning for the profile %s: its policy (%s) does not count tokens", p.Name, p.Policy.Name())
	case t.BatchRequests > 0:
		return fmt.Errorf("--max-batch-requests has no meaning for the profile %s: its policy (%s) has a fixed batch", p.Name, p.Policy.Name())
	}
	return nil
}

package triton

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paceline/paceline/internal/batch"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// failure is why a request failed, in the reference server's words.
type failure int

const (
	failRejected failure = iota // the queue policy refused it
	failCanceled                // its client left or its deadline passed
	failBackend                 // the engine failed
	failOther                   // the request was wrong
	failureKinds
)

var failureNames = [failureKinds]string{"REJECTED", "CANCELED", "BACKEND", "OTHER"}

func failureOf(err error) failure {
	var known *dialect.Error
	var tooLong *pipeline.TooLongError
	switch {
	case errors.As(err, &known) && known.Kind == dialect.Overloaded, errors.Is(err, batch.ErrClosed):
		return failRejected
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failCanceled
	case known != nil, errors.As(err, &tooLong), errors.Is(err, pipeline.ErrTokenID), errors.Is(err, pipeline.ErrNoTokens):
		return failOther
	}
	return failBackend
}

// statistics count what one version of a model has done (the protocol's
// statistics extension). The zero value counts nothing yet.
type statistics struct {
	inside atomic.Int64 // requests

	mu         sync.Mutex
	last       time.Time
	success    count
	failures   [failureKinds]count
	spent      timing           // of all successes
	inferences uint64           // rows of all successes
	executions uint64           // batches
	batches    map[int]*batches // by their rows
}

// prepared adds to a batch that was computed what one of its requests took before
// and after: that is done on the requests' goroutines.
func (s *statistics) prepared(rows int, input, output time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.batch(rows)
	b.input += input
	b.output += output
}

// batch is what is known of the batches of a size; the caller holds mu.
func (s *statistics) batch(rows int) *batches {
	b := s.batches[rows]
	if b == nil {
		if s.batches == nil {
			s.batches = map[int]*batches{}
		}
		b = &batches{}
		s.batches[rows] = b
	}
	return b
}

// batches are all of one size: how many, and where their time went.
type batches struct {
	infer         count
	input, output time.Duration
}

// count is how often something happened and how long it took in all.
type count struct {
	n  uint64
	ns time.Duration
}

func (c *count) add(d time.Duration) {
	c.n++
	c.ns += d
}

// succeeded notes a request that was answered.
func (s *statistics) succeeded(rows int, total time.Duration, t timing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	s.success.add(total)
	s.inferences += uint64(rows)
	s.spent.add(t)
}

func (s *statistics) failed(why failure, total time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[why].add(total)
}

// executed notes one batch that was computed.
func (s *statistics) executed(rows int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.executions++
	s.batch(rows).infer.add(took)
}

// message is the statistics as the protocol has them.
func (m *served) message() *pb.ModelStatistics {
	s := &m.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed count
	for _, f := range s.failures {
		failed.n += f.n
		failed.ns += f.ns
	}
	each := func(d time.Duration) *pb.StatisticDuration { return duration(count{s.success.n, d}) }
	message := &pb.ModelStatistics{
		Name: m.name, Version: strconv.FormatInt(m.version, 10),
		InferenceCount: s.inferences, ExecutionCount: s.executions,
		InferenceStats: &pb.InferStatistics{
			Success: duration(s.success), Fail: duration(failed), Queue: each(s.spent.queue),
			ComputeInput: each(s.spent.input), ComputeInfer: each(s.spent.infer), ComputeOutput: each(s.spent.output),
			CacheHit: duration(count{}), CacheMiss: duration(count{}),
		},
	}
	if !s.last.IsZero() {
		message.LastInference = uint64(s.last.UnixMilli())
	}
	for _, rows := range slices.Sorted(maps.Keys(s.batches)) {
		b := s.batches[rows]
		if b.infer.n == 0 {
			continue // a request that ran as several batches
		}
		message.BatchStats = append(message.BatchStats, &pb.InferBatchStatistics{
			BatchSize: uint64(rows), ComputeInfer: duration(b.infer),
			ComputeInput: duration(count{b.infer.n, b.input}), ComputeOutput: duration(count{b.infer.n, b.output}),
		})
	}
	return message
}

func duration(c count) *pb.StatisticDuration {
	return &pb.StatisticDuration{Count: c.n, Ns: uint64(c.ns)}
}

// Statistics of one model, or of all for the name "". A version of "" is all of
// them.
func (s *Server) Statistics(name, version string) ([]*pb.ModelStatistics, error) {
	number, err := versionOf(version)
	if err != nil {
		return nil, err
	}
	var list []*pb.ModelStatistics
	available := false
	for _, m := range s.all() {
		if name != "" && m.name != name {
			continue
		}
		available = true
		if number == -1 || m.version == number {
			list = append(list, m.message())
		}
	}
	switch {
	case name == "" || len(list) > 0:
		return list, nil
	case !available:
		return nil, dialect.Errorf(dialect.Value, "", "requested model '%s' is not available", name)
	}
	return nil, dialect.Errorf(dialect.Value, "", "requested model version is not available for model '%s'", name)
}

// all are the versions that answer requests, by name and number.
func (s *Server) all() []*served {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []*served
	for _, name := range slices.Sorted(maps.Keys(s.models)) {
		e := s.models[name]
		for _, version := range slices.Sorted(maps.Keys(e.versions)) {
			list = append(list, e.versions[version])
		}
	}
	return list
}

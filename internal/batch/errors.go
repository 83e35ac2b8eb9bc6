package batch

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrOverloaded is matched by the refusal of a request for which there is no
	// room. The error is an *OverloadError.
	ErrOverloaded = errors.New("batch: overloaded")
	// ErrClosed is returned for requests that come after Drain began, and for
	// those that Drain had to give up.
	ErrClosed = errors.New("batch: the queue is closed")
	// ErrExpired is returned for requests that waited longer than their Rank allows.
	ErrExpired = errors.New("batch: the request waited in the queue longer than its timeout")
	// ErrPanic is matched by the error of a request on which the engine panicked.
	ErrPanic = errors.New("batch: the engine panicked")
)

// OverloadError says which bound refused a request and when to come again.
type OverloadError struct {
	What       string        // what there is too much of: "requests waiting", "requests in flight", "tokens waiting"
	Count      int           // how many there were when the request came
	Limit      int           // how many there may be
	RetryAfter time.Duration // about how long what waits now will take
}

func (e *OverloadError) Error() string { return "overloaded: " + e.Reason() }

// Reason is the error for a reader who knows that there is no room.
func (e *OverloadError) Reason() string {
	return fmt.Sprintf("%d %s, the limit is %d; try again in %v",
		e.Count, e.What, e.Limit, e.RetryAfter.Round(time.Millisecond))
}

// Is makes errors.Is(err, ErrOverloaded) true.
func (e *OverloadError) Is(target error) bool { return target == ErrOverloaded }

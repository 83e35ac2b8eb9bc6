package resident

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Value is what a Set keeps.
type Value interface {
	Bytes() int64 // of memory; does not change
	// Close gives the memory back. It is called once, when nobody uses the value.
	Close() error
}

// Opening says how a value comes into memory.
type Opening[T Value] struct {
	Bytes int64 // how much it will take; 0 when that is not known
	// Open's ctx ends with the Set, not with the caller who was first to ask.
	Open func(ctx context.Context) (T, error)
}

// Options of a Set.
type Options struct {
	Limit int64 // bytes that all values may take; 0 is no limit
	Idle  bool  // keep what nobody uses until its room is wanted; else it is closed at once
	// Closed, if set, is told of every value that was closed: to make room, or
	// because nobody uses it any more.
	Closed func(key any, err error)
}

var (
	// ErrClosed is what Get returns after Close.
	ErrClosed = errors.New("models are no longer opened: the process is about to end")
	// ErrTooLarge is a value that does not fit by itself.
	ErrTooLarge = errors.New("larger than the memory for models")
)

// TooLargeError is an ErrTooLarge.
type TooLargeError struct{ Bytes, Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it takes %d bytes of memory and the limit for all models is %d", e.Bytes, e.Limit)
}

func (e *TooLargeError) Unwrap() error { return ErrTooLarge }

// Set holds values by their keys. Its methods are safe for concurrent use.
type Set[K comparable, T Value] struct {
	o      Options
	ctx    context.Context // of openings
	cancel context.CancelFunc
	turn   chan struct{} // one opening at a time, in the order of asking

	mu      sync.Mutex
	entries map[K]*entry[T]
	bytes   int64
	clock   uint64
	closed  bool
}

// entry is a value from the moment somebody asks for it until it is closed.
type entry[T Value] struct {
	opened chan struct{} // closed when value or err is there
	value  T
	err    error
	bytes  int64

	users   int    // those that wait for the value included
	touched uint64 // clock of the last use
	// Once leaving is set, nobody new may use the value; idle is closed after its
	// last user, gone after the value.
	leaving    bool
	closing    bool
	idle, gone chan struct{}
}

// New makes an empty Set. Close it.
func New[K comparable, T Value](o Options) *Set[K, T] {
	if o.Closed == nil {
		o.Closed = func(any, error) {}
	}
	s := &Set[K, T]{o: o, turn: make(chan struct{}, 1), entries: map[K]*entry[T]{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Get returns the value of that key, which stays in memory until release, opening
// it if need be. It waits for the opening, and for room, until ctx ends; the
// opening goes on then, for whoever asks next. An opening that failed is tried
// again by the next Get. A caller that holds one value of a Set with a limit must
// not ask for another: the two may not fit.
func (s *Set[K, T]) Get(ctx context.Context, key K, how Opening[T]) (value T, release func(), err error) {
	for {
		e, gone, err := s.enter(key, how)
		switch {
		case err != nil:
			return value, nil, err
		case gone != nil:
			if err := wait(ctx, gone); err != nil {
				return value, nil, err
			}
			continue
		}
		if err := wait(ctx, e.opened); err != nil {
			s.leave(key, e)
			return value, nil, err
		}
		if e.err != nil {
			return value, nil, e.err
		}
		return e.value, sync.OnceFunc(func() { s.leave(key, e) }), nil
	}
}

// enter makes the caller a user of the key's entry, unless that is about to go:
// then it returns what is closed when it has gone.
func (s *Set[K, T]) enter(key K, how Opening[T]) (_ *entry[T], gone chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key]
	switch {
	case s.closed:
		return nil, nil, ErrClosed
	case e != nil && e.leaving:
		return nil, e.gone, nil
	case e == nil:
		e = &entry[T]{opened: make(chan struct{}), idle: make(chan struct{}), gone: make(chan struct{})}
		s.entries[key] = e
		go s.open(key, e, how)
	}
	e.users++
	s.clock++
	e.touched = s.clock
	return e, nil, nil
}

// leave is the end of one use.
func (s *Set[K, T]) leave(key K, e *entry[T]) {
	s.mu.Lock()
	e.users--
	last := e.users == 0
	if last && e.leaving {
		close(e.idle)
	}
	unwanted := last && !s.o.Idle && !e.leaving && e.isOpen()
	if unwanted {
		e.dismiss()
	}
	s.mu.Unlock()
	if unwanted {
		s.remove(key, e)
	}
}

func (e *entry[T]) isOpen() bool {
	select {
	case <-e.opened:
		return e.err == nil
	default:
		return false
	}
}

// dismiss lets nobody new in. The caller holds mu.
func (e *entry[T]) dismiss() {
	e.leaving = true
	if e.users == 0 {
		close(e.idle)
	}
}

func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

package resident

import (
	"context"
	"errors"
)

// open fills an entry, in its turn. When it is over, those who wait for the value
// have it.
func (s *Set[K, T]) open(key K, e *entry[T], how Opening[T]) {
	value, err := *new(T), ErrClosed
	select {
	case s.turn <- struct{}{}:
		value, err = s.opened(how)
		defer func() { <-s.turn }() // after the entry says what its memory is taken by
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	if err != nil {
		e.err = err
		delete(s.entries, key)
	} else {
		e.value, e.bytes = value, value.Bytes()
	}
	close(e.opened)
	unwanted := err == nil && e.users == 0 && !s.o.Idle
	if unwanted {
		e.dismiss()
	}
	s.mu.Unlock()
	if unwanted {
		s.remove(key, e)
	}
}

// opened makes room, opens the value and counts its memory.
func (s *Set[K, T]) opened(how Opening[T]) (value T, err error) {
	if err := s.reserve(how.Bytes); err != nil {
		return value, err
	}
	value, err = how.Open(s.ctx)
	s.free(how.Bytes)
	if err == nil {
		if err = s.reserve(value.Bytes()); err != nil {
			return value, errors.Join(err, value.Close())
		}
	}
	if err != nil && s.ctx.Err() != nil {
		err = errors.Join(ErrClosed, err)
	}
	return value, err
}

// reserve counts so many bytes more, after values that were used least recently
// have made room for them: at first one that nobody uses, else one that then
// takes no new users and goes after its last.
func (s *Set[K, T]) reserve(bytes int64) error {
	if s.o.Limit > 0 && bytes > s.o.Limit {
		return &TooLargeError{Bytes: bytes, Limit: s.o.Limit}
	}
	for {
		s.mu.Lock()
		if s.o.Limit == 0 || s.bytes+bytes <= s.o.Limit {
			s.bytes += bytes
			s.mu.Unlock()
			return nil
		}
		key, e := s.oldest()
		if !e.leaving {
			e.dismiss()
		}
		s.mu.Unlock()
		if wait(s.ctx, e.idle) != nil {
			return ErrClosed
		}
		s.remove(key, e)
	}
}

func (s *Set[K, T]) free(bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= bytes
}

// oldest is the value that makes room next: one that is on its way out already,
// else one that nobody uses, else any, the least recently used first. The caller
// holds mu, and some value is there: without one no bytes are taken.
func (s *Set[K, T]) oldest() (key K, e *entry[T]) {
	for k, other := range s.entries {
		if other.isOpen() && (e == nil || other.before(e)) {
			key, e = k, other
		}
	}
	return key, e
}

func (e *entry[T]) before(o *entry[T]) bool {
	switch {
	case e.leaving != o.leaving:
		return e.leaving
	case (e.users == 0) != (o.users == 0):
		return e.users == 0
	}
	return e.touched < o.touched
}

// remove closes a value that is leaving and idle. Of several callers one closes
// it, and all return when it has gone.
func (s *Set[K, T]) remove(key K, e *entry[T]) {
	s.mu.Lock()
	first := !e.closing
	e.closing = true
	s.mu.Unlock()
	if !first {
		<-e.gone
		return
	}
	err := e.value.Close()
	s.mu.Lock()
	s.bytes -= e.bytes
	delete(s.entries, key)
	s.mu.Unlock()
	close(e.gone)
	s.o.Closed(key, err)
}

// Close opens nothing any more, waits for those who use a value and closes all,
// until ctx ends: it returns ctx's error then, and what is in use stays open.
func (s *Set[K, T]) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	left := map[K]*entry[T]{}
	for key, e := range s.entries {
		left[key] = e
	}
	s.mu.Unlock()
	s.cancel()
	var errs []error
	for key, e := range left {
		errs = append(errs, s.end(ctx, key, e))
	}
	return errors.Join(errs...)
}

func (s *Set[K, T]) end(ctx context.Context, key K, e *entry[T]) error {
	if err := wait(ctx, e.opened); err != nil {
		return err
	}
	if e.err != nil {
		return nil
	}
	s.mu.Lock()
	if !e.leaving {
		e.dismiss()
	}
	s.mu.Unlock()
	if err := wait(ctx, e.idle); err != nil {
		return err
	}
	s.remove(key, e)
	return nil
}

// State is one value in memory.
type State[K comparable, T Value] struct {
	Key   K
	Value T
	Users int
}

// Open lists the values in memory, in no order.
func (s *Set[K, T]) Open() []State[K, T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []State[K, T]
	for key, e := range s.entries {
		if e.isOpen() {
			list = append(list, State[K, T]{key, e.value, e.users})
		}
	}
	return list
}

// Bytes is the memory that the values take.
func (s *Set[K, T]) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

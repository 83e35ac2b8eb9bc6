package resident

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a value of a size, which knows whether it was closed.
type fake struct {
	name   string
	bytes  int64
	closed atomic.Bool
}

func (f *fake) Bytes() int64 { return f.bytes }

func (f *fake) Close() error {
	if f.closed.Swap(true) {
		panic(f.name + " was closed twice")
	}
	return nil
}

// opener counts openings and the memory that is taken at once.
type opener struct {
	mu     sync.Mutex
	opened []string
	alive  []*fake
	most   int64
	fail   error
}

func (o *opener) how(name string, bytes int64) Opening[*fake] {
	return Opening[*fake]{Bytes: bytes, Open: func(context.Context) (*fake, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.fail != nil {
			return nil, o.fail
		}
		f := &fake{name: name, bytes: bytes}
		o.opened = append(o.opened, name)
		o.alive = append(slices.DeleteFunc(o.alive, func(f *fake) bool { return f.closed.Load() }), f)
		var sum int64
		for _, f := range o.alive {
			sum += f.bytes
		}
		o.most = max(o.most, sum)
		return f, nil
	}}
}

func use(t *testing.T, s *Set[string, *fake], o *opener, name string, bytes int64) {
	t.Helper()
	v, release, err := s.Get(t.Context(), name, o.how(name, bytes))
	if err != nil || v.name != name || v.closed.Load() {
		t.Fatalf("%s: %+v, %v", name, v, err)
	}
	release()
	release() // the second does nothing
}

func newSet(t *testing.T, o Options) *Set[string, *fake] {
	s := New[string, *fake](o)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil || s.Bytes() != 0 || len(s.Open()) != 0 {
			t.Errorf("closed: %v, %d bytes, %v", err, s.Bytes(), s.Open())
		}
	})
	return s
}

// TestLeastRecentlyUsedGoes: what was used last stays.
func TestLeastRecentlyUsedGoes(t *testing.T) {
	t.Parallel()
	var closed []any
	s := newSet(t, Options{Limit: 10, Idle: true, Closed: func(key any, err error) { closed = append(closed, key) }})
	var o opener
	for _, step := range []struct {
		name  string
		bytes int64
		gone  []any
	}{
		{"a", 4, nil},
		{"b", 6, nil},
		{"a", 4, nil},
		{"c", 1, []any{"b"}},
		{"b", 6, []any{"b", "a"}},
		{"d", 10, []any{"b", "a", "c", "b"}},
	} {
		use(t, s, &o, step.name, step.bytes)
		if !slices.Equal(closed, step.gone) {
			t.Fatalf("after %s: closed %v, want %v", step.name, closed, step.gone)
		}
	}
	if want := []string{"a", "b", "c", "b", "d"}; !slices.Equal(o.opened, want) || o.most > 10 {
		t.Errorf("opened %v, want %v; %d bytes at most", o.opened, want, o.most)
	}
	if _, _, err := s.Get(t.Context(), "e", o.how("e", 11)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("11 of 10 bytes: %v", err)
	}
	if open := s.Open(); len(open) != 1 || open[0].Key != "d" || s.Bytes() != 10 {
		t.Errorf("what cannot fit made others go: %v", open)
	}
}

// TestSizeUnknownBefore: the size that shows only after opening counts too.
func TestSizeUnknownBefore(t *testing.T) {
	t.Parallel()
	s := newSet(t, Options{Limit: 10, Idle: true})
	var o opener
	use(t, s, &o, "a", 7)
	how := o.how("b", 8)
	how.Bytes = 0
	_, release, err := s.Get(t.Context(), "b", how)
	if err != nil || s.Bytes() != 8 {
		t.Fatalf("%v, %d bytes", err, s.Bytes())
	}
	release()
	how = o.how("c", 12)
	how.Bytes = 0
	if _, _, err := s.Get(t.Context(), "c", how); !errors.Is(err, ErrTooLarge) || s.Bytes() != 8 || !o.alive[len(o.alive)-1].closed.Load() {
		t.Errorf("%v, %d bytes", err, s.Bytes())
	}
}

// TestUsersKeepAValue: it is closed after its last user alone, and who asks
// meanwhile gets the next one.
func TestUsersKeepAValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New[string, *fake](Options{Limit: 1, Idle: true})
		var o opener
		a, first, _ := s.Get(t.Context(), "a", o.how("a", 1))
		_, second, _ := s.Get(t.Context(), "a", o.how("a", 1))
		var got []string
		var wait sync.WaitGroup
		for _, name := range []string{"b", "a"} {
			wait.Go(func() {
				v, release, err := s.Get(t.Context(), name, o.how(name, 1))
				if err != nil {
					t.Error(err)
					return
				}
				got = append(got, v.name) // one at a time: there is room for one
				release()
			})
			synctest.Wait()
		}
		first()
		synctest.Wait()
		if a.closed.Load() || len(got) > 0 {
			t.Fatalf("one user is left: closed %v, got %v", a.closed.Load(), got)
		}
		second()
		wait.Wait()
		if !a.closed.Load() || !slices.Equal(got, []string{"b", "a"}) || !slices.Equal(o.opened, []string{"a", "b", "a"}) {
			t.Errorf("closed %v, got %v, opened %v", a.closed.Load(), got, o.opened)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestOpenedOnce: many who ask at once have one value.
func TestOpenedOnce(t *testing.T) {
	t.Parallel()
	s := newSet(t, Options{Idle: true})
	var o opener
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() { use(t, s, &o, "a", 1) })
	}
	wait.Wait()
	if len(o.opened) != 1 {
		t.Errorf("opened %d times", len(o.opened))
	}
}

// TestNotIdle closes a value after its last user.
func TestNotIdle(t *testing.T) {
	t.Parallel()
	s := newSet(t, Options{})
	var o opener
	a, first, _ := s.Get(t.Context(), "a", o.how("a", 1))
	_, second, _ := s.Get(t.Context(), "a", o.how("a", 1))
	first()
	if a.closed.Load() {
		t.Error("one user is left")
	}
	second()
	if !a.closed.Load() {
		t.Error("nobody uses it and it is open")
	}
	use(t, s, &o, "a", 1)
	if len(o.opened) != 2 {
		t.Errorf("opened %v", o.opened)
	}
}

// TestFailure: an opening that failed is tried again.
func TestFailure(t *testing.T) {
	t.Parallel()
	s := newSet(t, Options{Limit: 5, Idle: true})
	o := opener{fail: errors.New("no such file")}
	if _, _, err := s.Get(t.Context(), "a", o.how("a", 5)); !errors.Is(err, o.fail) {
		t.Fatal(err)
	}
	o.fail = nil
	use(t, s, &o, "a", 5)
}

// TestWaitersLeave: a caller's context ends its wait and not the opening.
func TestWaitersLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New[string, *fake](Options{Idle: true})
		var o opener
		proceed := make(chan struct{})
		how := o.how("a", 1)
		open := how.Open
		how.Open = func(ctx context.Context) (*fake, error) {
			<-proceed
			return open(ctx)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		left := errors.New("the client left")
		go func() {
			synctest.Wait()
			cancel(left)
		}()
		if _, _, err := s.Get(ctx, "a", how); !errors.Is(err, left) {
			t.Error(err)
		}
		close(proceed)
		synctest.Wait()
		use(t, s, &o, "a", 1)
		if len(o.opened) != 1 {
			t.Errorf("opened %v", o.opened)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestClose waits for users, cancels openings and refuses what comes later.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New[string, *fake](Options{Limit: 1, Idle: true})
		var o opener
		a, release, _ := s.Get(t.Context(), "a", o.how("a", 1))
		waiting := make(chan error)
		go func() {
			_, _, err := s.Get(t.Context(), "b", o.how("b", 1))
			waiting <- err
		}()
		synctest.Wait()
		short, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Close(short); !errors.Is(err, context.Canceled) || a.closed.Load() {
			t.Errorf("a value in use: %v, closed %v", err, a.closed.Load())
		}
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("waited for room: %v", err)
		}
		if _, _, err := s.Get(t.Context(), "a", o.how("a", 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		release()
		if err := s.Close(t.Context()); err != nil || !a.closed.Load() {
			t.Errorf("%v, closed %v", err, a.closed.Load())
		}
	})
}

// TestManyUsers: under contention nothing in use is closed, the limit holds, and
// nobody gets an error or waits for ever.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	s := newSet(t, Options{Limit: 10, Idle: true})
	var o opener
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			for range 300 {
				n := 1 + r.Int64N(6)
				v, release, err := s.Get(t.Context(), fmt.Sprint(n), o.how(fmt.Sprint(n), n))
				if err != nil {
					t.Error(err)
					return
				}
				if v.closed.Load() || v.bytes != n {
					t.Errorf("%s is closed: %v", v.name, v.closed.Load())
				}
				release()
			}
		})
	}
	wait.Wait()
	if o.most > 10 {
		t.Errorf("%d bytes at most", o.most)
	}
}

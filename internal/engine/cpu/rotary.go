package cpu

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/paceline/paceline/internal/kernel"
)

// rotary holds the angles of one base's rotary positions, for as many positions as
// a sequence has had so far: a model may allow far longer ones than it meets. It is
// shared by the layers of that base and by all workers.
type rotary struct {
	theta, divisor float64
	half           int // angles of a position: half a head's width
	grow           sync.Mutex
	angles         atomic.Pointer[angles]
}

// angles has one row a position.
type angles struct{ cos, sin kernel.Matrix }

// upTo returns the angles of at least n positions.
func (r *rotary) upTo(n int) *angles {
	if a := r.angles.Load(); a != nil && a.cos.Rows >= n {
		return a
	}
	r.grow.Lock()
	defer r.grow.Unlock()
	if a := r.angles.Load(); a != nil && a.cos.Rows >= n {
		return a
	}
	const least = 512
	rows := least
	for rows < n {
		rows *= 2
	}
	a := r.compute(rows)
	r.angles.Store(a)
	return a
}

// compute makes the angles in float32, as the reference does: at position 8,000
// their rounding is visible in a vector.
func (r *rotary) compute(rows int) *angles {
	a := &angles{
		cos: kernel.NewMatrix(make([]float32, rows*r.half), rows, r.half),
		sin: kernel.NewMatrix(make([]float32, rows*r.half), rows, r.half),
	}
	for j := range r.half {
		exponent := float32(2*j) / float32(2*r.half)
		frequency := 1 / float32(math.Pow(r.theta, float64(exponent)))
		frequency /= float32(r.divisor)
		for i := range rows {
			sin, cos := math.Sincos(float64(float32(i) * frequency))
			a.cos.Row(i)[j], a.sin.Row(i)[j] = float32(cos), float32(sin)
		}
	}
	return a
}

// rotaries finds the angles that several layers share.
type rotaries struct {
	half   int
	shared map[[2]float64]*rotary
}

// of returns the angles of a base and divisor, nil for no base.
func (r *rotaries) of(theta, divisor float64) *rotary {
	if theta == 0 {
		return nil
	}
	if divisor == 0 {
		divisor = 1
	}
	key := [2]float64{theta, divisor}
	if r.shared[key] == nil {
		r.shared[key] = &rotary{theta: theta, divisor: divisor, half: r.half}
	}
	return r.shared[key]
}

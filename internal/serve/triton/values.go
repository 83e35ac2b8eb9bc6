package triton

import "sync"

// values are what engines write vectors to, used again by the next request.
type values struct{ pool sync.Pool }

// take gives room for n values, of whatever content.
func (v *values) take(n int) []float32 {
	if p, _ := v.pool.Get().(*[]float32); p != nil && cap(*p) >= n {
		return (*p)[:n]
	}
	return make([]float32, n)
}

func (v *values) put(list []float32) { v.pool.Put(&list) }

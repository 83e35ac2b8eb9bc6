package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// checkCase is a small problem for one or a few kernels.
type checkCase struct {
	kernel    string
	run       func(*Set, *rand.Rand) []float32
	tolerance float64 // relative to 1 + |reference|
}

// check compares every kernel of s with the reference on one small problem each,
// of odd sizes so that whole tiles and tails take part. It takes well under 5 ms.
func check(s *Set) error { return checkSeed(s, 1) }

// checkSeed is check on the problems that a seed draws.
func checkSeed(s *Set, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 2))
	reference := referenceOf(s)
	cases := []checkCase{
		{"attention", checkAttention(Float32), 1e-5},
		{"layer norm", checkNorm, 1e-5},
		{"vector", checkVector, 1e-5},
	}
	if _, ok := s.attend[BFloat16]; ok { // a weight between two bfloat16s, 1/256 of it apart, may go either way
		cases = append(cases,
			checkCase{"bfloat16 attention", checkAttention(BFloat16), 1. / 128},
			checkCase{"attention over sequences", checkSelfAttention(BFloat16), 1. / 64}) // and so may a query, which is a sum
	} else if _, ok := s.attend[Int16]; ok {
		cases = append(cases, checkCase{"int16 attention over sequences", checkSelfAttention(Int16), 1. / 64})
	}
	for _, d := range s.allDTypes() {
		tolerance := 1e-5
		if d != Float32 {
			tolerance = 1e-4 // of GELU, which is rounded afterwards
		}
		cases = append(cases, checkCase{string(d) + " linear", checkLinear(d), tolerance})
	}
	for _, c := range cases {
		seed := r.Uint64()
		got := c.run(s, rand.New(rand.NewPCG(seed, 0)))
		want := c.run(reference, rand.New(rand.NewPCG(seed, 0)))
		if err := compare(got, want, c.tolerance); err != nil {
			return fmt.Errorf("%s: %w", c.kernel, err)
		}
	}
	return nil
}

// referenceOf is the generic level with weights rounded as those of s are.
func referenceOf(s *Set) *Set {
	reference := generic()
	if s.narrowSums() {
		inNarrowSums(reference.linear[Int8], reference.linear[Int8GELU])
	}
	return reference
}

func compare(got, want []float32, tolerance float64) error {
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= tolerance*(1+math.Abs(float64(w)))) {
			return fmt.Errorf("element %d of %d is %v where the reference has %v", i, len(want), got[i], w)
		}
	}
	return nil
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func checkLinear(d DType) func(*Set, *rand.Rand) []float32 {
	return func(s *Set, r *rand.Rand) []float32 {
		const rows, in, out = 25, 19, 99
		w := s.Pack(nil, NewMatrix(random(r, out*in), out, in), random(r, out), d)
		var x Activations
		s.Prepare(&x, NewMatrix(random(r, rows*in), rows, in), d)
		y := NewMatrix(random(r, 2*rows*out), 2*rows, out)
		core := s.NewCore()
		core.Linear(y.RowRange(0, rows), &x, w, GELU)
		core.LinearAdd(y.RowRange(rows, 2*rows), &x, w, y.RowRange(rows, 2*rows))
		return y.Data
	}
}

func checkAttention(d DType) func(*Set, *rand.Rand) []float32 {
	return func(s *Set, r *rand.Rand) []float32 {
		const queries, keys, dim = 14, keyBlock + 13, 32 // two blocks of keys
		q, kv := NewMatrix(random(r, queries*dim), queries, dim), NewMatrix(random(r, keys*2*dim), keys, 2*dim)
		out := NewMatrix(make([]float32, queries*dim), queries, dim)
		s.NewCoreFor(d).Attention(out, q, kv.ColumnRange(0, dim), kv.ColumnRange(dim, 2*dim))
		return out.Data
	}
}

func checkSelfAttention(d DType) func(*Set, *rand.Rand) []float32 {
	return func(s *Set, r *rand.Rand) []float32 {
		const rows, in, dim = 30, 18, 32
		starts, group := []int32{3, 22, 23, 3 + rows}, HeadGroup{2, 1, dim}
		weights, bias := random(r, 4*dim*in), random(r, 4*dim)
		scaleGeneric(weights, 1./16)
		scaleGeneric(bias, 1./4)
		w := s.Pack(nil, NewMatrix(weights, 4*dim, in), bias, d)
		var x Activations
		s.Prepare(&x, NewMatrix(random(r, rows*in), rows, in), d)
		out, qkv := NewMatrix(make([]float32, rows*2*dim), rows, 2*dim), NewMatrix(make([]float32, rows*4*dim), rows, 4*dim)
		core := s.NewCoreFor(d)
		core.Project(qkv, &x, w, starts, group)
		core.SelfAttention(out, qkv, starts, group)
		return out.Data
	}
}

func checkNorm(s *Set, r *rand.Rand) []float32 {
	const rows, cols = 3, 83
	x := NewMatrix(random(r, rows*cols), rows, cols)
	s.LayerNorm(x, x, random(r, cols), random(r, cols), 1e-12)
	return x.Data
}

func checkVector(s *Set, r *rand.Rand) []float32 {
	const n = 77
	x, y := random(r, n), random(r, n)
	mean := s.Dot(x, y) / n // a sum's rounding is that of its terms, however small the sum
	s.Add(y, x)
	s.Scale(x, 0.75)
	s.Multiply(NewMatrix(x, 1, n), NewMatrix(y, 1, n))
	return append(append(y, x...), mean)
}

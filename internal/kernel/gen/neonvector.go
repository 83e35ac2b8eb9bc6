package main

import "fmt"

// vectors emits kernel's vectors for arm64.
func (a *arm) vectors() {
	a.dot()
	a.add()
	a.scale()
	a.multiply()
	a.max()
	a.sum()
	a.deviation()
	a.normalize()
	a.exp2Sum()
	a.gelu()
	a.geluNear()
	a.softmax()
	a.divide()
}

func (a *arm) dot() {
	a.function(dotOf)
	sums := a.zeros(turns)
	s := a.sweep("a", "b")
	s.run(turns, func(turn, at int) {
		x := s.load("a", s.cursors[0], at)
		y := s.load("b", s.cursors[1], at)
		a.do("VFMLA", "sum += a·b", x, y, sums[turn])
	})
	a.give(a.total(sums), "sum")
}

func (a *arm) add() {
	a.function(addOf)
	s := a.sweep("x", "dst")
	s.run(turns, func(_, at int) {
		x := s.load("x", s.cursors[0], at)
		y := s.load("dst", s.cursors[1], at)
		a.do("FADD", "dst + x", x, y, y)
		s.store(y, s.cursors[1], at)
	})
	a.end()
}

func (a *arm) scale() {
	a.function(scaleOf)
	factor := a.spread("factor")
	s := a.sweep("x")
	s.run(turns, func(_, at int) {
		x := s.load("x", s.cursors[0], at)
		a.do("FMUL", "x·factor", factor, x, x)
		s.store(x, s.cursors[0], at)
	})
	a.end()
}

func (a *arm) multiply() {
	a.function(multiplyOf)
	s := a.sweep("x", "y", "dst")
	s.run(turns, func(_, at int) {
		x := s.load("x", s.cursors[0], at)
		y := s.load("y", s.cursors[1], at)
		a.do("FMUL", "x·y", x, y, y)
		s.store(y, s.cursors[2], at)
	})
	a.end()
}

func (a *arm) max() {
	a.function(maxOf)
	largest := a.lowest(turns)
	s := a.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.loadOver(largest[turn], "x", s.cursors[0], at)
		a.do("FMAX", "the larger", x, largest[turn], largest[turn])
	})
	a.give(a.most(largest), "largest")
}

// lowest returns n registers of what no element is below.
func (a *arm) lowest(n int) []vector {
	list := a.constants("lowest", term{"-Inf, what no element is below,", lowestFloat})
	for range n - 1 {
		v := a.vector()
		a.do("VMOV", "the same", list[0], v)
		list = append(list, v)
	}
	return list
}

func (a *arm) sum() {
	a.function(sumOf)
	sums := a.zeros(turns)
	s := a.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", s.cursors[0], at)
		a.do("FADD", "sum += x", x, sums[turn], sums[turn])
	})
	a.give(a.total(sums), "sum")
}

func (a *arm) deviation() {
	a.function(deviationOf)
	mean, sums := a.spread("mean"), a.zeros(turns)
	s := a.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.loadOver(mean, "x", s.cursors[0], at)
		a.do("FSUB", "x - mean", mean, x, x)
		a.do("VFMLA", "sum += its square", x, x, sums[turn])
	})
	a.give(a.total(sums), "sum")
}

func (a *arm) normalize() {
	a.function(normalizeOf)
	mean, inverse := a.spread("mean"), a.spread("inverse")
	s := a.sweep("x", "dst", "gamma", "beta")
	s.run(turns, func(_, at int) {
		x := s.load("x", s.cursors[0], at)
		gamma := s.load("gamma", s.cursors[2], at)
		beta := s.load("beta", s.cursors[3], at)
		a.do("FSUB", "x - mean", mean, x, x)
		a.do("FMUL", "·inverse", inverse, x, x)
		a.do("VFMLA", "beta + gamma·x", x, gamma, beta)
		s.store(beta, s.cursors[1], at)
	})
	a.end()
}

func (a *arm) exp2Sum() {
	a.function(exp2SumOf)
	shift, sum, exp2 := a.spread("shift"), a.zeros(1), a.exp2()
	s := a.sweep("x")
	s.run(1, func(_, at int) {
		x := s.load("x", s.cursors[0], at)
		a.do("FSUB", "x - shift", shift, x, x)
		e := exp2.of(x)
		s.store(e, s.cursors[0], at)
		s.clearTail(e)
		a.do("FADD", "sum += 2^(x-shift)", e, sum[0], sum[0])
	})
	a.give(a.total(sum), "sum")
}

// neonExp2 computes powers of 2 with its constants in registers.
type neonExp2 struct {
	*arm
	terms []vector
	least vector
}

func (a *arm) exp2() *neonExp2 {
	list := a.constants("exp2", append(exp2Terms[:len(exp2Terms):len(exp2Terms)], term{"the least exponent", leastExponent})...)
	last := len(list) - 1
	return &neonExp2{arm: a, terms: list[:last], least: list[last]}
}

// of returns 2^t for t <= 126; t below leastExponent counts as that. It overwrites t.
func (e *neonExp2) of(t vector) vector {
	whole, exponent := e.vector(), e.vector()
	e.do("FMAX", fmt.Sprintf("no result smaller than 2^%d", leastExponent), e.least, t, t)
	e.do("FRINTN", "n, the nearest whole number", t, whole)
	e.do("FSUB", "f = t - n, at most 1/2 away from 0", whole, t, t)
	e.do("FCVTNS", "n as an integer", whole, exponent)
	p := e.polynomial(e.terms, exp2Terms, t, "f")
	e.line(fmt.Sprintf("VSHL $23, %s, %s", exponent.s4(), exponent.s4()), "in the exponent's place")
	e.do("VADD", "2^f·2^n", exponent, p, p)
	return p
}

// polynomial returns the value at x of the polynomial whose coefficients registers
// hold, highest first.
func (a *arm) polynomial(registers []vector, terms []term, x vector, name string) vector {
	sum, spare := registers[0], a.vectorList(2)
	for i, r := range registers[1:] {
		next := spare[i%2]
		a.do("VMOV", terms[i+1].name, r, next)
		a.do("VFMLA", "+ what there is, times "+name, x, sum, next)
		sum = next
	}
	return sum
}

// peak emits a loop of nothing but multiply-adds on registers.
func (a *arm) peak() {
	const count = 24
	a.function(peakOf(count))
	sums, factors := a.zeros(count), a.zeros(2)
	left := a.number("turns", "turns left")
	a.label("loop")
	for i, sum := range sums {
		a.do("VFMLA", fmt.Sprintf("sum %d", i), factors[0], factors[1], sum)
	}
	a.line(fmt.Sprintf("SUBS $1, %s", left), "one turn done")
	a.line("BGT loop", "again")
	a.end()
}

func (a *arm) gelu() {
	a.function(geluOf)
	list := a.constants("tail", append(tailTerms[:len(tailTerms):len(tailTerms)],
		term{"5.4", tailReach}, term{"2/5.4", 2 / tailReach}, term{"-1", -1})...)
	tail, rest := list[:len(tailTerms)], list[len(tailTerms):]
	reach, scale, minusOne := rest[0], rest[1], rest[2]
	a.overRows(func(x vector) vector {
		t, place := a.vector(), a.vector()
		a.do("FABS", "|x|", x, t)
		a.do("FMIN", "t, not above 5.4", reach, t, t)
		a.do("VMOV", "-1", minusOne, place)
		a.do("VFMLA", "between -1 and 1: 2t/5.4 - 1", t, scale, place)
		p := a.polynomial(tail, tailTerms, place, "that")
		zero := a.zeros(1)[0]
		a.do("FMAX", "max(x, 0)", x, zero, zero)
		a.do("VFMLS", "- t·P(t)", t, p, zero)
		return zero
	})
}

func (a *arm) geluNear() {
	a.function(geluNearOf)
	list := a.constants("near", append(nearTerms[:len(nearTerms):len(nearTerms)],
		term{"-4.25", -nearReach}, term{"4.25", nearReach}, term{"1/2", 0.5})...)
	near, rest := list[:len(nearTerms)], list[len(nearTerms):]
	least, most, half := rest[0], rest[1], rest[2]
	a.overRows(func(x vector) vector {
		t, square, phi := a.vector(), a.vector(), a.vector()
		a.do("FMAX", "not below -4.25", least, x, t)
		a.do("FMIN", "nor above 4.25", most, t, t)
		a.do("FMUL", "t²", t, t, square)
		p := a.polynomial(near, nearTerms, square, "t²")
		a.do("VMOV", "1/2", half, phi)
		a.do("VFMLA", "+ what there is, times t: Φ(x)", t, p, phi)
		a.do("FMUL", "·x", x, phi, phi)
		return phi
	})
}

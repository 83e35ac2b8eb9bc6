package main

import (
	"fmt"
	"strings"
)

// largest emits the search for the largest magnitude.
func (a *arm) largest() {
	a.function(largestOf)
	found := a.zeros(turns)
	s := a.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", s.cursors[0], at)
		a.do("FABS", "|x|", x, x)
		a.do("FMAX", "the larger", x, found[turn], found[turn])
	})
	a.give(a.most(found), "largest")
}

// quantize emits the conversion of float32 to quadruples of 8-bit integers, what is
// past the last element in its group of 16 as if it were 0.
func (a *arm) quantize(d definition, signed bool) {
	a.function(d)
	shift, inverse, zero := a.spread("shift"), a.spread("inverse"), a.vector()
	number := a.general()
	a.line(fmt.Sprintf("MOVW %s, %s", a.address(a.parameter("zero")), number), "zero")
	a.line(fmt.Sprintf("VDUP %s, %s", number, zero.s4()), "in every lane")
	bytes := func(x vector) vector {
		a.do("FADD", "x + shift", shift, x, x)
		a.do("FMUL", "·inverse", inverse, x, x)
		a.do("FCVTNS", "to the nearest integer", x, x)
		a.do("VADD", "+ zero", zero, x, x)
		if signed {
			a.do("SQXTN.H4", "as int16", x, x)
			a.do("SQXTN.B8", "as int8", x, x)
		} else {
			a.do("SQXTUN.H4", "as uint16", x, x)
			a.do("UQXTN.B8", "as bytes", x, x)
		}
		return x
	}
	s := a.sweep("x")
	s.cursors = append(s.cursors, cursor{a.pointer("dst", "the next quadruples"), 1})
	none := bytes(a.zeros(1)[0])
	a.line(fmt.Sprintf("VDUP %s.S[0], %s", none, none.s4()), "0 as a byte, in all")
	s.fillGroup(none)
	s.run(turns, func(_, at int) { s.store(bytes(s.load("x", s.cursors[0], at)), s.cursors[1], at) })
	a.end()
}

// fillGroup writes a register's lanes over the last group of 16 of the second cursor's
// elements, where the elements of the sweep do not fill it.
func (s *neonSweep) fillGroup(lanes vector) {
	rest, group, c := s.general(), s.general(), s.cursors[1]
	s.line(fmt.Sprintf("AND $15, %s, %s", s.n, rest), "elements of the last group")
	s.line(fmt.Sprintf("CBZ %s, %swhole", rest, s.label), "all 16")
	s.line(fmt.Sprintf("SUB %s, %s, %s", rest, s.n, group), "where it begins")
	s.line(fmt.Sprintf("ADD %s<<%d, %s, %s", group, c.bytes/2, c, group), "in dst")
	for at := range c.bytes {
		s.line(fmt.Sprintf("FMOVQ %s, %d(%s)", lanes.scalar(), 16*at, group), "what follows the last element")
	}
	s.arm.label(s.label + "whole")
	s.numbers -= 2 // free again
}

// narrow emits the conversion of rows of float32 to pairs of bfloat16, 0 where a row
// has ended in its group of 16.
func (a *arm) narrow() {
	a.function(narrowOf)
	zero := a.zeros(1)[0]
	to, ldd := a.pointer("dst", "the row's first pair"), a.stride("ldd", "from row to row of dst")
	a.eachRow(func(b *neonRows) {
		s := b.sweep("x")
		s.cursors = append(s.cursors, cursor{a.general(), 2})
		a.line(fmt.Sprintf("MOVD %s, %s", to, s.cursors[1]), "the first pair")
		s.fillGroup(zero)
		s.run(turns, func(_, at int) {
			x := s.load("x", s.cursors[0], at)
			a.do("BFCVTN", "as bfloat16", x, x)
			s.store(x, s.cursors[1], at)
		})
		a.line(fmt.Sprintf("ADD %s, %s", ldd, to), "next row of dst")
	})
}

// join emits the conversion of rows of float32 to bfloat16, one element from each of
// four rows side by side.
func (a *arm) join() {
	a.function(joinFourOf)
	to, ldd := a.pointer("dst", "dst's row"), a.stride("ldd", "from row to row of dst")
	apart := a.stride("apart", "from a to b, b to c and c to d")
	a.eachRow(func(b *neonRows) {
		s := b.sweep("x")
		for range 3 {
			next := a.general()
			a.line(fmt.Sprintf("ADD %s, %s, %s", apart, s.cursors[len(s.cursors)-1], next), "the next of the four rows")
			s.cursors = append(s.cursors, cursor{next, 4})
		}
		s.cursors = append(s.cursors, cursor{a.general(), 8})
		a.line(fmt.Sprintf("MOVD %s, %s", to, s.cursors[4]), "their first four")
		s.run(1, func(_, _ int) { s.joinFour() })
		a.line(fmt.Sprintf("ADD %s, %s", ldd, to), "next row of dst")
	})
}

// joinFour writes the elements of the first four cursors side by side to the fifth.
func (s *neonSweep) joinFour() {
	const names = "abcd"
	if s.tail {
		x := s.vector()
		for i, c := range s.cursors[:4] {
			s.line(fmt.Sprintf("VLD1 (%s), %s.S[%d]", c, x, i), names[i:i+1])
		}
		s.do("BFCVTN", "all four as bfloat16", x, x)
		s.line(fmt.Sprintf("FMOVD %s, (%s)", x.scalar(), s.cursors[4]), "write")
		return
	}
	var list []string
	for i, c := range s.cursors[:4] {
		x := s.load(names[i:i+1], c, 0)
		s.do("BFCVTN", "as bfloat16", x, x)
		list = append(list, x.String()+".H4")
	}
	s.line(fmt.Sprintf("VST4 [%s], (%s)", strings.Join(list, ", "), s.cursors[4]), "write, one of each in turn")
}

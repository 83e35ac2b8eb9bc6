package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// How the operands of attention become int16. Of a sequence's keys each column is divided
// by its largest magnitude, with which the queries' is multiplied: so no column is rounded
// away beside a larger one. Queries have one unit for all, which the scores then have; each
// column of values has its own, which its results are multiplied by. The sums are int32,
// and none can leave it.

// A row's weights add up to 2^sumBits (attendround.go) but for what rounding adds, half of one
// for each of 512 keys, and values reach largestValue: their products stay below 2^31.
const (
	sumBits      = 20
	largestValue = 1<<11 - 1
)

// largestOperand is what queries and keys of the head reach: the root of 2^31 by its columns.
func (a *rowAttend) largestOperand() float32 {
	return float32(math.Floor(math.Sqrt((1<<31 - 1) / float64(a.columns()))))
}

// smallestLargest stands for magnitudes below it, so that their inverses are numbers.
const smallestLargest = 0x1p-40

// What lies in inverse behind the numbers of a tile's rows: the scores' unit in 16 lanes,
// and then for each column
const (
	keyFactors   = iota // what keys are multiplied by
	queryFactors        // what queries are
	valueFactors        // what values are
	valueUnits          // and the inverse of that
)

// unitBehind is where the scores' unit is.
func unitBehind() int { return rowsBehind(rowHeight) + tileBytes }

// factorsBehind is where a kind of factors is.
func (a *rowAttend) factorsBehind(kind int) int { return unitBehind() + tileBytes + kind*4*a.columns() }

// useFactors points to what scale16 multiplies by.
func (g *generator) useFactors(a *rowAttend, kind int) {
	if !g.isa.integers() {
		return
	}
	a.factors = g.pointer("inverse", "factors")
	g.Comment("of those columns")
	g.ADDQ(operand.U32(uint64(a.factorsBehind(kind))), a.factors)
}

// scale16 multiplies 16 columns by their factors, of those that are scaled.
func (g *generator) scale16(a *rowAttend, x reg.VecVirtual, vector int) {
	if !g.isa.integers() {
		return
	}
	g.Comment("by their factors")
	g.VMULPS(element(a.factors, vector*tileBytes), x, x)
}

// scaleOperands finds the sequence's factors.
func (g *generator) scaleOperands(a *rowAttend) {
	factors := g.pointer("inverse", "factors")
	keys := g.largestColumns(a, "k", "keys", nil)
	g.keepInverses(a, factors, keyFactors, keys, a.largestOperand())
	queries := g.largestColumns(a, "q", "queries", keys)
	g.scaleQueries(a, factors, keys, queries)
	values := g.largestColumns(a, "v", "values", nil)
	g.keepInverses(a, factors, valueFactors, values, largestValue)
	for i, x := range values {
		g.Comment(fmt.Sprintf("columns from %d: what 1 of their int16 is", 16*i))
		g.VMULPS(g.constant("valueunit", 1./largestValue), x, x)
		g.Comment("write")
		g.VMOVUPS(x, element(factors, a.factorsBehind(valueUnits)+i*tileBytes))
	}
}

// largestColumns returns the largest magnitude of each column of the sequence's rows,
// multiplied by factors if there are any.
func (g *generator) largestColumns(a *rowAttend, param, what string, factors []reg.VecVirtual) []reg.VecVirtual {
	const ofMagnitudes = 0b1011 // the larger, without its sign
	step, largest := g.GP64(), g.registers(2*a.parts)
	for i, x := range largest {
		g.Comment(fmt.Sprintf("columns from %d: no smaller than that", 16*i))
		g.VMOVUPS(g.constant("smallest", smallestLargest), x)
	}
	g.at(&a.attend, param, what, a.from)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	g.Comment("rows")
	g.MOVQ(a.tokens, a.count)
	g.Label("largest" + param)
	for i, x := range largest {
		m := operand.Op(element(a.from, i*tileBytes))
		if factors != nil {
			y := g.ZMM()
			g.Comment("by the keys' largest")
			g.VMULPS(m, factors[i], y)
			m = y
		}
		g.Comment(fmt.Sprintf("columns from %d: the larger magnitude", 16*i))
		g.VRANGEPS(operand.Imm(ofMagnitudes), m, x, x)
	}
	g.Comment("next row")
	g.ADDQ(step, a.from)
	g.again(&a.attend, "largest"+param)
	return largest
}

// keepInverses writes to/largest of each column.
func (g *generator) keepInverses(a *rowAttend, factors reg.GPVirtual, kind int, largest []reg.VecVirtual, to float32) {
	for i, x := range largest {
		y := g.ZMM()
		g.Comment(fmt.Sprintf("%v", to))
		g.VMOVUPS(g.constant(fmt.Sprintf("to%d", int(to)), to), y)
		g.Comment(fmt.Sprintf("columns from %d: by their largest", 16*i))
		g.VDIVPS(x, y, y)
		g.Comment("write")
		g.VMOVUPS(y, element(factors, a.factorsBehind(kind)+i*tileBytes))
	}
}

// scaleQueries writes the queries' factors and the scores' unit, given the largest of keys
// and of queries multiplied by those.
func (g *generator) scaleQueries(a *rowAttend, factors reg.GPVirtual, keys, queries []reg.VecVirtual) {
	to := a.largestOperand()
	g.combine(queries, g.VMAXPS)
	largest, unit := g.ZMM(), g.ZMM()
	g.Comment("the largest, in every lane")
	g.VBROADCASTSS(queries[0].AsX(), largest)
	g.Comment("what 1 of a score's int32 is")
	g.VMULPS(g.constant(fmt.Sprintf("unit%d", a.columns()), 1/(to*to)), largest, unit)
	g.Comment("write")
	g.VMOVUPS(unit, element(factors, unitBehind()))
	scale := g.ZMM()
	g.Comment(fmt.Sprintf("%v", to))
	g.VMOVUPS(g.constant(fmt.Sprintf("to%d", int(to)), to), scale)
	g.Comment("by the largest")
	g.VDIVPS(largest, scale, scale)
	for i, x := range keys {
		y := g.ZMM()
		g.Comment(fmt.Sprintf("columns from %d: by what keys are divided by", 16*i))
		g.VMULPS(scale, x, y)
		g.Comment("write")
		g.VMOVUPS(y, element(factors, a.factorsBehind(queryFactors)+i*tileBytes))
	}
}

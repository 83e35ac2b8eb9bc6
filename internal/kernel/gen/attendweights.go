package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What scores and weights are: float32, whose weights may be rounded to bfloat16, or int32,
// whose weights become int16 (attendround.go) once a row's sum says how large they may be.

// lowestScore returns what no score is below.
func (g *generator) lowestScore() reg.VecVirtual {
	x := g.ZMM()
	if g.isa.integers() {
		g.Comment("-2^31: what no score is below")
		g.VMOVUPS(g.constant("lowestinteger", float32(math.Copysign(0, -1))), x) // -0 has its bits
	} else {
		g.Comment("-Inf: what no score is below")
		g.VMOVUPS(g.constant("lowest", lowestFloat), x)
	}
	return x
}

// largerScores is the instruction for the larger of scores.
func (g *generator) largerScores(ops ...operand.Op) {
	if g.isa.integers() {
		g.VPMAXSD(ops...)
	} else {
		g.VMAXPS(ops...)
	}
}

// lower returns what is added to scores before they are exponents, given the largest of
// each row. It overwrites largest.
func (w *weigher) lower(largest reg.VecVirtual, numbers reg.GPVirtual) reg.VecVirtual {
	if !w.isa.integers() {
		zero := w.zeros(1)[0]
		w.Comment("- the largest")
		w.VSUBPS(largest, zero, largest)
		return largest
	}
	w.unit = w.ZMM()
	below := w.zeros(1)[0]
	w.Comment("the scores' unit")
	w.VMOVUPS(element(numbers, unitBehind()), w.unit)
	w.Comment("the largest")
	w.VCVTDQ2PS(largest, largest)
	w.Comment("- the largest in that unit")
	w.VFNMADD231PS(w.unit, largest, below)
	return below
}

// weigh returns the weights of 16 scores.
func (w *weigher) weigh(vector int) reg.VecVirtual {
	t, scores := w.ZMM(), element(w.a.from, vector*tileBytes)
	if w.isa.integers() {
		return w.weighIntegers(t, scores)
	}
	w.Comment("t: scores - the largest")
	w.VADDPS(scores, w.below, t)
	if !w.isa.rounds() {
		return w.exp2(t, w.held.constant)
	}
	w.Comment("not below -125")
	w.VMAXPS(w.held.constant(nearLeast), t, t)
	if w.isa.tiles {
		return w.scaledExp2(t, w.held)
	}
	return w.shiftedExp2(t, w.held)
}

// weighIntegers is weigh of int32.
func (w *weigher) weighIntegers(t reg.VecVirtual, scores operand.Mem) reg.VecVirtual {
	w.Comment("scores")
	w.VCVTDQ2PS(scores, t)
	w.Comment("t: in their unit, - the largest")
	w.VFMADD213PS(w.below, w.unit, t)
	w.Comment("not below what is rounded to 0")
	w.VMAXPS(w.held.constant(integerLeast), t, t)
	return w.scaledExp2(t, w.held)
}

// roundsAtOnce tells whether weights are rounded where they are made.
func (w *weigher) roundsAtOnce() bool { return w.isa.rounds() && !w.isa.integers() }

// weightBytes is what so many weights take.
func (w *weigher) weightBytes(n uint64) uint64 {
	if w.roundsAtOnce() {
		return 2 * n
	}
	return 4 * n
}

// mask makes weights of keys that are not there 0.
func (w *weigher) mask(x reg.VecVirtual) reg.VecVirtual {
	w.Comment("keys that are not there weigh nothing")
	w.VMOVAPS_Z(x, w.a.last, x)
	return x
}

func (w *weigher) add(x reg.VecVirtual) {
	w.Comment("sum += weights")
	w.VADDPS(x, w.sum, w.sum)
}

// storeWeights writes 32 weights.
func (w *weigher) storeWeights(low, high reg.VecVirtual) {
	w.add(low)
	w.add(high)
	if !w.roundsAtOnce() {
		w.Comment("write 16")
		w.VMOVUPS(low, element(w.a.dst, 0))
		w.Comment("and 16 more")
		w.VMOVUPS(high, element(w.a.dst, tileBytes))
		return
	}
	x := w.rounded(low, high)
	w.Comment("write")
	w.VMOVUPS(x, element(w.a.dst, 0))
}

// storeFew writes a row's last 16 weights or fewer and, where they are rounded, 0 for 16 more.
func (w *weigher) storeFew(x reg.VecVirtual) {
	w.add(x)
	if w.roundsAtOnce() {
		w.Comment("as bfloat16, and 0 for 16 more")
		w.emitMissing("VCVTNEPS2BF16", "AVX512BF16", false, x, x)
	}
	w.Comment("write")
	w.VMOVUPS(x, element(w.a.dst, 0))
}

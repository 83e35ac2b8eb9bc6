package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const rodata = attr.RODATA | attr.NOPTR

// sweep emits a loop over n elements in whole registers, then once more for the
// elements that remain.
type sweep struct {
	*generator
	n       reg.GPVirtual   // elements left
	cursors []reg.GPVirtual // advance with the elements
	halves  []reg.GPVirtual // advance half as far
	label   string

	quarters []reg.GPVirtual // advance a quarter as far

	tail    bool // emitting the remaining elements
	maskK   reg.OpmaskVirtual
	maskVec reg.VecVirtual
}

// run emits the loop. body handles one register's worth of elements; turn tells
// which of several in a turn it is, and at how far its elements lie past the cursors.
func (s *sweep) run(turns int, body func(turn, at int)) {
	lanes, bytes := s.isa.lanes, s.isa.bytes()
	if turns > 1 {
		s.loop("many", turns*lanes, turns*bytes, func() {
			for turn := range turns {
				body(turn, turn*bytes)
			}
		})
	}
	s.loop("one", lanes, bytes, func() { body(0, 0) })
	s.Comment("nothing left?")
	s.TESTQ(s.n, s.n)
	s.Comment("done")
	s.JZ(operand.LabelRef(s.label + "done"))
	s.makeMask()
	s.tail = true
	body(0, 0)
	s.tail = false
	s.Label(s.label + "done")
}

// loop repeats body while at least step elements are left.
func (s *sweep) loop(name string, step, bytes int, body func()) {
	start, end := s.label+name, s.label+name+"end"
	s.Label(start)
	s.Comment(fmt.Sprintf("fewer than %d elements left?", step))
	s.CMPQ(s.n, operand.U32(step))
	s.Comment("leave the loop")
	s.JL(operand.LabelRef(end))
	body()
	for _, c := range s.cursors {
		s.Comment("on to the next elements")
		s.ADDQ(operand.U32(bytes), c)
	}
	for _, c := range s.halves {
		s.Comment("on to the next pairs")
		s.ADDQ(operand.U32(bytes/2), c)
	}
	for _, c := range s.quarters {
		s.Comment("on to the next quadruples")
		s.ADDQ(operand.U32(bytes/4), c)
	}
	s.Comment("so many fewer are left")
	s.SUBQ(operand.U32(step), s.n)
	s.Comment("again")
	s.JMP(operand.LabelRef(start))
	s.Label(end)
}

// makeMask selects the lanes of the n elements that remain.
func (s *sweep) makeMask() {
	if s.isa.wide() {
		ones := s.GP64()
		s.maskK = s.K()
		s.Comment("1")
		s.MOVQ(operand.U32(1), ones)
		s.Comment("2^n")
		s.SHLXQ(s.n, ones, ones)
		s.Comment("2^n - 1: the lowest n lanes")
		s.DECQ(ones)
		s.Comment("as a mask")
		s.KMOVW(ones.As32(), s.maskK)
		return
	}
	table, back := s.GP64(), s.GP64()
	s.maskVec = s.YMM()
	s.Comment("eight lanes of ones, then eight of zeros")
	s.LEAQ(s.tailTable(), table)
	s.Comment("n elements back")
	s.MOVQ(s.n, back)
	s.Comment("from where the zeros begin")
	s.NEGQ(back)
	s.Comment("n lanes of ones, then zeros")
	s.VMOVUPS(operand.Mem{Base: table, Index: back, Scale: 4, Disp: 32}, s.maskVec)
}

func (s *sweep) tailTable() operand.Mem {
	const name = "tail"
	if m, ok := s.constants[name]; ok {
		return m
	}
	m := s.StaticGlobal(name + s.isa.name)
	s.DataAttributes(rodata)
	for lane := range 16 {
		value := operand.U32(0)
		if lane < 8 {
			value = ^value
		}
		s.AddDatum(4*lane, value)
	}
	s.constants[name] = m
	return m
}

// load reads elements into a new register. Lanes past the last element hold what
// fill holds; nil: 0.
func (s *sweep) load(what string, m operand.Mem, fill reg.VecVirtual) reg.VecVirtual {
	x := s.register()
	s.Comment(what)
	switch {
	case !s.tail:
		s.VMOVUPS(m, x)
	case s.isa.wide() && fill == nil:
		s.VMOVUPS_Z(m, s.maskK, x)
	case s.isa.wide():
		s.VMOVAPS(fill, x)
		s.Comment("the elements that remain")
		s.VMOVUPS(m, s.maskK, x)
	default:
		s.VMASKMOVPS(m, s.maskVec, x)
		if fill != nil {
			s.Comment("fill the other lanes")
			s.VBLENDVPS(s.maskVec, x, fill, x)
		}
	}
	return x
}

func (s *sweep) store(x reg.VecVirtual, m operand.Mem) {
	s.Comment("write")
	switch {
	case !s.tail:
		s.VMOVUPS(x, m)
	case s.isa.wide():
		s.VMOVUPS(x, s.maskK, m)
	default:
		s.VMASKMOVPS(x, s.maskVec, m)
	}
}

// clearTail zeroes the lanes past the last element.
func (s *sweep) clearTail(x reg.VecVirtual) {
	if !s.tail {
		return
	}
	s.Comment("lanes past the last element count for nothing")
	if s.isa.wide() {
		s.VMOVAPS_Z(x, s.maskK, x)
	} else {
		s.VANDPS(s.maskVec, x, x)
	}
}

// zeros returns n registers of zeros.
func (g *generator) zeros(n int) []reg.VecVirtual {
	list := g.registers(n)
	for _, x := range list {
		g.Comment("0")
		g.VXORPS(x, x, x)
	}
	return list
}

// spread returns a register with a parameter in every lane.
func (g *generator) spread(param string) reg.VecVirtual {
	basic, err := g.Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	x := g.register()
	g.Comment(param + " in every lane")
	g.VBROADCASTSS(basic.Addr, x)
	return x
}

// fold combines registers and their lanes, and returns the result.
func (g *generator) fold(what string, list []reg.VecVirtual, op func(...operand.Op)) {
	g.combine(list, op)
	g.Comment(what)
	g.Store(list[0].AsX(), g.ReturnIndex(0))
}

// combine leaves in lane 0 of the first register what op makes of all lanes.
func (g *generator) combine(list []reg.VecVirtual, op func(...operand.Op)) {
	for n := len(list); n > 1; n /= 2 {
		for i := range n / 2 {
			g.Comment("combine registers")
			op(list[i+n/2], list[i], list[i])
		}
	}
	x := list[0]
	if g.isa.wide() {
		upper := g.YMM()
		g.Comment("upper eight lanes")
		g.VEXTRACTF32X8(operand.Imm(1), x, upper)
		g.Comment("with the lower")
		op(upper, x.AsY(), x.AsY())
	}
	other := g.XMM()
	g.Comment("upper four lanes")
	g.VEXTRACTF128(operand.Imm(1), x.AsY(), other)
	g.Comment("with the lower")
	op(other, x.AsX(), x.AsX())
	g.Comment("lanes 2 and 3")
	g.VPERMILPD(operand.Imm(1), x.AsX(), other)
	g.Comment("with 0 and 1")
	op(other, x.AsX(), x.AsX())
	g.Comment("lane 1")
	g.VMOVSHDUP(x.AsX(), other)
	g.Comment("with lane 0")
	op(other, x.AsX(), x.AsX())
}

package main

import (
	"fmt"
	"math"
)

// cursor is a register that advances with the elements of a sweep, by so many bytes an
// element.
type cursor struct {
	general
	bytes int
}

// neonSweep emits a loop over n elements in whole registers, then over those that
// remain one by one, each in lane 0 of a register.
type neonSweep struct {
	*arm
	n       general // elements left
	cursors []cursor
	label   string

	tail bool // emitting the remaining elements
}

const neonLanes = 4

// sweep goes over the elements of the slice named first, and of the others.
func (a *arm) sweep(params ...string) *neonSweep {
	s := &neonSweep{arm: a, n: a.general()}
	a.line(fmt.Sprintf("MOVD %s, %s", a.address(a.parameter(params[0]).Len()), s.n), "elements left")
	for _, p := range params {
		s.cursors = append(s.cursors, cursor{a.pointer(p, p+"'s next element"), 4})
	}
	return s
}

// run emits the loop. body handles one register's worth of elements; turn tells which
// of several in a turn it is, and at how many elements past the cursors they lie.
func (s *neonSweep) run(turns int, body func(turn, at int)) {
	if turns > 1 {
		s.loop("many", turns*neonLanes, func() {
			for turn := range turns {
				s.once(func() { body(turn, turn*neonLanes) })
			}
		})
	}
	s.loop("one", neonLanes, func() { s.once(func() { body(0, 0) }) })
	s.line(fmt.Sprintf("CBZ %s, %sdone", s.n, s.label), "nothing left")
	s.arm.label(s.label + "rest")
	s.tail = true
	s.once(func() { body(0, 0) })
	s.tail = false
	s.advance(1)
	s.line(fmt.Sprintf("BNE %srest", s.label), "again")
	s.arm.label(s.label + "done")
}

// once gives back the vector registers that body takes.
func (a *arm) once(body func()) {
	taken := a.registers
	body()
	a.registers = taken
}

// loop repeats body while at least step elements are left.
func (s *neonSweep) loop(name string, step int, body func()) {
	start, end := s.label+name, s.label+name+"end"
	s.line(fmt.Sprintf("SUBS $%d, %s", step, s.n), fmt.Sprintf("fewer than %d left?", step))
	s.line("BLT "+end, "skip the loop")
	s.arm.label(start)
	body()
	s.advance(step)
	s.line("BGE "+start, "again")
	s.arm.label(end)
	s.line(fmt.Sprintf("ADD $%d, %s", step, s.n), "elements left")
}

// advance leaves step elements behind, and how many are left in the flags.
func (s *neonSweep) advance(step int) {
	for _, c := range s.cursors {
		s.line(fmt.Sprintf("ADD $%d, %s", step*c.bytes, c.general), "on to the next elements")
	}
	s.line(fmt.Sprintf("SUBS $%d, %s", step, s.n), "so many fewer are left")
}

// load reads elements into a new register. Lanes past the last element hold 0.
func (s *neonSweep) load(what string, c cursor, at int) vector {
	x := s.vector()
	if s.tail {
		s.line(fmt.Sprintf("FMOVS (%s), %s", c, x.scalar()), what+", and 0 in the other lanes")
	} else {
		s.line(fmt.Sprintf("FMOVQ %d(%s), %s", at*c.bytes, c, x.scalar()), what)
	}
	return x
}

// loadOver is load with the lanes of fill past the last element.
func (s *neonSweep) loadOver(fill vector, what string, c cursor, at int) vector {
	if !s.tail {
		return s.load(what, c, at)
	}
	x := s.vector()
	s.do("VMOV", "what other lanes hold", fill, x)
	s.line(fmt.Sprintf("VLD1 (%s), %s.S[0]", c, x), what)
	return x
}

// store writes elements of the cursor's size, which lie side by side.
func (s *neonSweep) store(x vector, c cursor, at int) {
	size := c.bytes
	if !s.tail {
		size *= neonLanes
	}
	switch size {
	case 1:
		s.line(fmt.Sprintf("VST1 %s.B[0], (%s)", x, c), "write")
	case 2:
		s.line(fmt.Sprintf("VST1 %s.H[0], (%s)", x, c), "write")
	default:
		s.line(fmt.Sprintf("%s %s, %d(%s)", map[int]string{4: "FMOVS", 8: "FMOVD", 16: "FMOVQ"}[size], x.scalar(), at*c.bytes, c), "write")
	}
}

// clearTail zeroes the lanes past the last element.
func (s *neonSweep) clearTail(x vector) {
	if s.tail {
		s.line(fmt.Sprintf("FMOVS %s, %s", x.scalar(), x.scalar()), "lanes past the last element count for nothing")
	}
}

// zeros returns n registers of zeros.
func (a *arm) zeros(n int) []vector {
	list := a.vectorList(n)
	for _, x := range list {
		a.do("VEOR", "0", x, x, x)
	}
	return list
}

// combine leaves in the first register what op makes of all.
func (a *arm) combine(list []vector, op string) vector {
	for n := len(list); n > 1; n /= 2 {
		for i := range n / 2 {
			a.do(op, "combine registers", list[i+n/2], list[i], list[i])
		}
	}
	return list[0]
}

// total leaves the sum of all lanes in lane 0 of the first register.
func (a *arm) total(list []vector) vector {
	x := a.combine(list, "FADD")
	a.do("FADDP", "sums of two lanes", x, x, x)
	a.do("FADDP", "and of all", x, x, x)
	return x
}

// most leaves the largest of all lanes in lane 0 of the first register.
func (a *arm) most(list []vector) vector {
	x := a.combine(list, "FMAX")
	a.do("FMAXV", "the largest lane", x, x)
	return x
}

// give ends a function that returns what lane 0 of a register holds.
func (a *arm) give(x vector, what string) {
	a.line(fmt.Sprintf("FMOVS %s, %s", x.scalar(), a.address(a.signature.Results().At(0))), what)
	a.end()
}

func (a *arm) end() { a.line("RET", "done") }

// constants loads a group of numbers, each into every lane of a register of its own.
func (a *arm) constants(group string, list ...term) []vector {
	symbol := group + a.suffix + "<>"
	if !a.known[symbol] {
		a.known[symbol] = true
		a.data.WriteString("\n")
		for i, t := range list {
			fmt.Fprintf(&a.data, "DATA %s+%d(SB)/4, $0x%08x // %s: %v\n", symbol, 4*i, math.Float32bits(t.value), t.name, t.value)
		}
		fmt.Fprintf(&a.data, "GLOBL %s(SB), RODATA|NOPTR, $%d\n", symbol, 4*len(list))
	}
	from, registers := a.general(), a.vectorList(len(list))
	a.line(fmt.Sprintf("MOVD $%s(SB), %s", symbol, from), "constants")
	for i, t := range list {
		a.line(fmt.Sprintf("VLD1R.P 4(%s), [%s]", from, registers[i].s4()), t.name+" in every lane")
	}
	a.numbers-- // from is free again
	return registers
}

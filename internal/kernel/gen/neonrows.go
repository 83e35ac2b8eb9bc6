package main

import "fmt"

// neonRows is a loop over the rows of a block, each swept once or more.
type neonRows struct {
	*arm
	row     general   // the row's first element
	cursors []general // the row's numbers
}

// eachRow emits body once, inside a loop over the rows of x. numbers are parameters
// with one element a row.
func (a *arm) eachRow(body func(b *neonRows), numbers ...string) {
	b := &neonRows{arm: a, row: a.pointer("x", "the row's first element")}
	stride := a.stride("stride", "from row to row")
	for _, name := range numbers {
		b.cursors = append(b.cursors, a.pointer(name, name+" of the row"))
	}
	left := a.number("rows", "rows left")
	a.line(fmt.Sprintf("CBZ %s, end", left), "none")
	a.label("row")
	body(b)
	a.line(fmt.Sprintf("ADD %s, %s", stride, b.row), "next row")
	for _, c := range b.cursors {
		a.line(fmt.Sprintf("ADD $4, %s", c), "and its number")
	}
	a.line(fmt.Sprintf("SUBS $1, %s", left), "one row done")
	a.line("BNE row", "again")
	a.label("end")
	a.end()
}

// sweep goes over the row's elements.
func (b *neonRows) sweep(label string) *neonSweep {
	s := &neonSweep{arm: b.arm, n: b.number("cols", "elements of the row"), cursors: []cursor{{b.general(), 4}}, label: label}
	b.line(fmt.Sprintf("MOVD %s, %s", b.row, s.cursors[0]), "the first of them")
	return s
}

// overRows emits what replaces each element of a block of rows by body's.
func (a *arm) overRows(body func(x vector) vector) {
	a.eachRow(func(b *neonRows) {
		s := b.sweep("")
		s.run(1, func(_, at int) { s.store(body(s.load("x", s.cursors[0], at)), s.cursors[0], at) })
	})
}

// softmax emits what turns rows of scores into weights.
func (a *arm) softmax() {
	a.function(softmaxOf)
	lowest, exp2, largest := a.lowest(1)[0], a.exp2(), a.vectorList(turns)
	a.eachRow(func(b *neonRows) {
		for _, v := range largest {
			a.do("VMOV", "largest so far", lowest, v)
		}
		find := b.sweep("find")
		find.run(turns, func(turn, at int) {
			x := find.loadOver(lowest, "x", find.cursors[0], at)
			a.do("FMAX", "the larger", x, largest[turn], largest[turn])
		})
		top := a.most(largest)
		a.line(fmt.Sprintf("FMOVS %s, (%s)", top.scalar(), b.cursors[0]), "the row's largest")
		a.line(fmt.Sprintf("VDUP %s.S[0], %s", top, top.s4()), "in every lane")
		a.once(func() {
			sum := a.zeros(1)
			weigh := b.sweep("weigh")
			weigh.run(1, func(_, at int) {
				x := weigh.load("x", weigh.cursors[0], at)
				a.do("FSUB", "x - largest", top, x, x)
				e := exp2.of(x)
				weigh.store(e, weigh.cursors[0], at)
				weigh.clearTail(e)
				a.do("FADD", "sum += 2^(x-largest)", e, sum[0], sum[0])
			})
			a.line(fmt.Sprintf("FMOVS %s, (%s)", a.total(sum).scalar(), b.cursors[1]), "the row's total")
		})
	}, "largest", "total")
}

// divide emits the division of rows by a number each.
func (a *arm) divide() {
	a.function(divideOf)
	one := a.constants("one", term{"1", 1})[0]
	inverse := a.vector()
	a.eachRow(func(b *neonRows) {
		a.line(fmt.Sprintf("VLD1R (%s), [%s]", b.cursors[0], inverse.s4()), "by in every lane")
		a.do("FDIV", "1/by", inverse, one, inverse)
		s := b.sweep("divide")
		s.run(turns, func(_, at int) {
			x := s.load("x", s.cursors[0], at)
			a.do("FMUL", "·1/by", inverse, x, x)
			s.store(x, s.cursors[0], at)
		})
	}, "by")
}

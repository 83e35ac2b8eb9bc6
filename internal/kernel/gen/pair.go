package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/reg"
)

// inPairs tells whether two rows of b are multiplied at once: the products of bytes are
// added in 16 bits, which hold four of them where weights leave the room, before they
// are widened. That takes five instructions for 64 products in place of six.
func (i *isa) inPairs() bool { return i.element == "int8" && i.apart }

// stepPair adds a[r][i]·b[i][j] + a[r][i+1]·b[i+1][j] for one i; at is where a[0][i]
// lies, in bytes.
func (g *generator) stepPair(t *tile, at int) {
	g.loadB(t, t.b)
	g.loadB(t, t.next)
	for r := range t.rows {
		first, second := g.registers(t.vectors), g.registers(t.vectors)
		g.timesRow(t, r, at, t.b, first)
		g.timesRow(t, r, at+4, t.next, second)
		for v, sum := range t.sums[r] {
			g.Comment(fmt.Sprintf("row %d, vector %d: products of both, two and two, in 16 bits", r, v))
			g.VPADDW(first[v], second[v], second[v])
			g.addWords(second[v], sum)
		}
	}
}

// timesRow multiplies an element of a with a row of b, and adds products two and two
// in 16 bits.
func (g *generator) timesRow(t *tile, r, at int, b, products []reg.VecVirtual) {
	x := products[len(products)-1] // the last product takes its place
	g.Comment(fmt.Sprintf("a, row %d, in every lane", r))
	g.VBROADCASTSS(t.elementA(r, at), x)
	for v := range b {
		g.Comment(fmt.Sprintf("row %d, vector %d: a·b", r, v))
		g.VPMADDUBSW(b[v], x, products[v]) // the first is the signed one
	}
}

// addWords adds a register's 16-bit integers, two and two, to sum.
func (g *generator) addWords(words, sum reg.VecVirtual) {
	g.Comment("times 1, added two and two in 32 bits")
	g.VPMADDWD(g.constant("ones", math.Float32frombits(0x00010001)), words, words)
	g.Comment("to the sum")
	g.VPADDD(words, sum, sum)
}

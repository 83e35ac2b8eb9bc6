package main

import "github.com/mmcloughlin/avo/reg"

// vendor emits the question of who made the processor.
func (g *generator) vendor() {
	g.function(definition{"vendor", "func() (first, second, third uint32)", []string{
		"_, first, third, second = cpuid(0) // EAX, EBX, ECX, EDX: four letters of the name each",
	}})
	g.Comment("leaf 0: the vendor's name")
	g.XORL(reg.EAX, reg.EAX)
	g.Comment("which has no parts")
	g.XORL(reg.ECX, reg.ECX)
	g.Comment("into EBX, EDX and ECX, in this order")
	g.CPUID()
	for i, r := range []reg.Register{reg.EBX, reg.EDX, reg.ECX} {
		g.Comment([]string{"letters 0 to 3", "letters 4 to 7", "letters 8 to 11"}[i])
		g.Store(r, g.ReturnIndex(i))
	}
	g.RET()
}

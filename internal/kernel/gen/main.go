// Gen writes the assembly of package kernel and the Go declarations of its
// functions, one level a pair of files. It is a module of its own, so that the
// program does not depend on the assembler's library.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	dir := flag.String("dir", "..", "folder of package kernel")
	flag.Parse()
	for _, i := range []*isa{avx2, avx2int16, avx2int8, avx2vnni, avx2vnniint8, avx512, avx512int16, avx512vnni, avx512int8, avx512bf16, amxbf16, amxint8} {
		g := &generator{Context: build.NewContext(), isa: i, constants: map[string]operand.Mem{}}
		g.ConstraintExpr("amd64,!purego")
		g.kernels()
		if err := g.write(*dir); err != nil {
			build.LogError(log.Default(), err, 0) // every error of a list
			log.Fatalf("%s: %v", i.name, err)
		}
	}
	for i := range neonLevels {
		if err := writeNEON(*dir, &neonLevels[i]); err != nil {
			log.Fatalf("%s: %v", neonLevels[i].name, err)
		}
	}
}

// generator emits one level's functions. Every instruction has its comment before it.
type generator struct {
	*build.Context
	isa       *isa
	constants map[string]operand.Mem
}

const noSplit = attr.NOSPLIT

// kernels emits all functions of the level.
func (g *generator) kernels() {
	if g.isa.tiles {
		g.tileProducts()
		if g.isa.element == "int8" {
			g.quantizeRows()
		}
		return
	}
	g.products()
	if g.isa.vectors {
		g.vectors()
		g.peak()
	}
	if g.isa.wide() && g.isa.vectors {
		g.transpose()
		g.rowAttention(1)
		g.rowAttention(2)
	}
	if g.isa == avx512vnni {
		g.rowAttention(1)
		g.rowAttention(2)
	}
	if g.isa.borrows {
		return
	}
	switch g.isa.element {
	case "int16":
		g.largest()
		g.quantize()
	case "int8":
		g.quantizeBytes()
		if g.isa.wide() {
			g.quantizeRows()
		}
	case "bfloat16":
		g.narrow()
		g.join()
		g.rowAttention(1)
		g.rowAttention(2)
		g.vendor()
	}
}

// write runs avo's passes (register allocation among them) and prints both files.
func (g *generator) write(dir string) error {
	file, err := g.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	config := printer.Config{Name: "gen", Argv: []string{"gen"}, Pkg: "kernel"}
	text, err := printer.NewGoAsm(config).Print(file)
	if err != nil {
		return err
	}
	base := filepath.Join(dir, strings.ToLower(g.isa.name)+"_amd64")
	if err := os.WriteFile(base+".s", commentBeside(keepPoint(text)), 0o644); err != nil {
		return err
	}
	stubs, err := printer.NewStubs(config).Print(file)
	if err != nil {
		return err
	}
	return os.WriteFile(base+".go", stubs, 0o644)
}

var wholeFloat = regexp.MustCompile(`\$\((-?\d+)\)`)

// keepPoint writes the point of whole float constants, which avo leaves out and the
// assembler would then take for integers.
func keepPoint(text []byte) []byte { return wholeFloat.ReplaceAll(text, []byte("$$($1.0)")) }

// commentBeside moves each comment inside a function from the line before its
// instruction to the end of that instruction's line, takes out the empty lines by
// which avo sets comments off, and encodes what the assembler lacks.
func commentBeside(text []byte) []byte {
	var out strings.Builder
	comment, empty := "", false
	for line := range strings.Lines(string(text)) {
		if c, ok := strings.CutPrefix(line, "\t// "); ok {
			comment, empty = strings.TrimSpace(c), false
			continue
		}
		if line == "\n" {
			empty = comment == ""
			continue
		}
		if empty {
			out.WriteString("\n")
			empty = false
		}
		if comment != "" {
			line = strings.TrimSuffix(line, "\n") + " // " + comment + "\n"
			comment = ""
		}
		out.WriteString(encode(line))
	}
	return []byte(out.String())
}

package main

import "fmt"

// result is what becomes of a product's sums: rows of float32, or what the next
// product takes for its a.
type result struct {
	name    string
	rounded bool
	gelu    bool
}

func (i *isa) results() []result {
	list := []result{{name: "mul"}, {name: "mulGELU", gelu: true}}
	list = append(list, result{name: "mulNarrow", rounded: true})
	if i.element == "bfloat16" {
		list = append(list, result{name: "mulGELUNarrow", gelu: true, rounded: true})
	}
	return list
}

func (r result) signature() string {
	if r.rounded {
		return "func(c, a, b, bias []float32, k, ldc, lda, ldb, ldpanel, ldbias, rows, panels, pace, ahead int)"
	}
	return "func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldpanel, ldbias, ldadd, across, rows, panels, pace, ahead int)"
}

func (i *isa) tileDoc(name string, r result, rows int) []string {
	step := "sum += low(A(r, i))*low(B(i, j)) + high(A(r, i))*high(B(i, j))"
	start, sum := "sum := float32(0)", "sum + bias[j]"
	if i.element == "int8" {
		start = fmt.Sprintf("sum := int32bits(bias[%d+j])", 2*blockCols)
		step = "for n := range 4 { sum += byte(A(r, i), n) * byte(B(i, j), n) }"
		sum = fmt.Sprintf("fma(float32(sum)*A(r, k), bias[%d+j], bias[j])", blockCols)
	}
	if r.gelu {
		sum = fmt.Sprintf("gelu(%s)", sum)
	}
	write := fmt.Sprintf("c[r*ldc+p*%d+j] = %s + add[r*ldadd+p*across+j]", blockCols, sum)
	if r.rounded {
		write = fmt.Sprintf("c[p*ldc+r*16+j/2].half(j%%2) = bfloat16(%s) // of two the low half first", sum)
	}
	return []string{
		fmt.Sprintf("%s computes panels of %d columns, %d rows at a time, the elements of a and b being", name, blockCols, rows),
		fmt.Sprintf("%s. A(r, i) is a[i/16*lda + r*16 + i%%16], and B(i, j) is", i.elements()),
		"b[p*ldpanel + i/16*ldb + j/16*256 + i%16*16 + j%16], and what is called bias is that of panel 0, the",
		fmt.Sprintf("others' being ldbias further. k is a positive multiple of 16. Up to %d rows behind the last one", rows-1),
		"of a are read and ignored. After every 16 steps of the sums pace rows of the block before are",
		fmt.Sprintf("finished, at least %d/(k/16), and ahead lines, at least one, of the panel behind are asked for:", rows), "",
		"\tfor p := range panels {", "\t\tfor r := range rows {", fmt.Sprintf("\t\t\tfor j := range %d {", blockCols), "\t\t\t\t" + start,
		"\t\t\t\tfor i := range k {", "\t\t\t\t\t" + step, "\t\t\t\t}", "\t\t\t\t" + write, "\t\t\t}", "\t\t}", "\t}",
	}
}

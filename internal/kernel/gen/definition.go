package main

import "fmt"

// definition is what a function is on every architecture: its name, which a level
// adds its own to, its signature, and the loop that it computes, for the comment of
// its declaration.
type definition struct {
	name, signature string
	loop            []string
}

// The definitions of kernel's vectors.
var (
	dotOf      = definition{"dot", "func(a, b []float32) float32", []string{"for i, x := range a {", "\tsum += x * b[i]", "}", "return sum"}}
	addOf      = definition{"add", "func(dst, x []float32)", []string{"for i, v := range x {", "\tdst[i] += v", "}"}}
	scaleOf    = definition{"scale", "func(x []float32, factor float32)", []string{"for i := range x {", "\tx[i] *= factor", "}"}}
	multiplyOf = definition{"multiply", "func(dst, x, y []float32)", []string{"for i, v := range x {", "\tdst[i] = v * y[i]", "}"}}
	maxOf      = definition{"max", "func(x []float32) float32", []string{
		"largest := -Inf", "for _, v := range x {", "\tlargest = max(largest, v)", "}", "return largest",
	}}
	largestOf = definition{"largest", "func(x []float32) float32", []string{
		"for _, v := range x {", "\tlargest = max(largest, abs(v))", "}", "return largest",
	}}
	sumOf       = definition{"sum", "func(x []float32) float32", []string{"for _, v := range x {", "\tsum += v", "}", "return sum"}}
	deviationOf = definition{"deviation", "func(x []float32, mean float32) float32", []string{
		"for _, v := range x {", "\tsum += (v - mean) * (v - mean)", "}", "return sum",
	}}
	normalizeOf = definition{"normalize", "func(dst, x, gamma, beta []float32, mean, inverse float32)", []string{
		"for i, v := range x {", "\tdst[i] = fma((v-mean)*inverse, gamma[i], beta[i])", "}",
	}}
	layerNormOf = definition{"layerNorm", "func(dst, x, gamma, beta []float32, rows, cols, ldd, stride int, epsilon float32)", []string{
		"for r := range rows {", "\trow := x[r*stride:][:cols]", "\tmean := sum(row) / cols", "\tinverse := 1 / sqrt(deviation(row, mean)/cols + epsilon)",
		"\tfor i, v := range row {", "\t\tdst[r*ldd+i] = fma((v-mean)*inverse, gamma[i], beta[i])", "\t}", "}",
	}}
	exp2SumOf = definition{"exp2Sum", "func(x []float32, shift float32) float32", []string{
		"for i, v := range x {", fmt.Sprintf("\tx[i] = exp2(max(v-shift, %d))", leastExponent), "\tsum += x[i]", "}", "return sum",
	}}
	geluOf       = overRows("gelu", "t := min(abs(v), 5.4)", "row[i] = max(v, 0) - t*P(t) // v·Φ(v), P being a polynomial near Φ(-t)")
	geluNearOf   = overRows("geluNear", "t := min(max(v, -4.25), 4.25)", "row[i] = v * (t*P(t*t) + 0.5) // v·Φ(v), P being a polynomial")
	geluPiecesOf = overRows("geluNear", "u := 1.2*min(abs(v), 4.98) + 2", "row[i] = max(v, 0) - P(u) // v·Φ(v), P being one of 16 polynomials, by u")
	softmaxOf    = definition{"softmax", "func(x []float32, rows, cols, stride int, largest, total []float32)", []string{
		"for r := range rows {", "\trow := x[r*stride:][:cols]", "\tlargest[r], total[r] = max(row...), 0", "\tfor i, v := range row {",
		fmt.Sprintf("\t\trow[i] = exp2(max(v-largest[r], %d))", leastExponent), "\t\ttotal[r] += row[i]", "\t}", "}",
	}}
	divideOf = definition{"divide", "func(x []float32, rows, cols, stride int, by []float32)", []string{
		"for r := range rows {", "\tfor i := range cols {", "\t\tx[r*stride+i] *= 1 / by[r]", "\t}", "}",
	}}
)

// overRows is the definition of what replaces each element of a block of rows.
func overRows(name string, body ...string) definition {
	loop := []string{"for r := range rows {", "\trow := x[r*stride:][:cols]", "\tfor i, v := range row {"}
	for _, line := range body {
		loop = append(loop, "\t\t"+line)
	}
	return definition{name, "func(x []float32, rows, cols, stride int)", append(loop, "\t}", "}")}
}

// The definitions of what encodes operands.
var (
	narrowOf = definition{"narrow", "func(dst, x []float32, rows, cols, ldd, stride int)", []string{
		"for r := range rows {", "\trow := x[r*stride:][:cols]", "\tfor i := range roundUp(cols, 16) {",
		"\t\t// element i of the row of dst that begins at r*ldd, as bfloat16s; 0 where row has ended",
		"\t\tdst[r*ldd:][i] = bfloat16(row[i]) // to the nearest, ties to even", "\t}", "}",
	}}
	transposeOf = definition{"transpose", "func(dst, x []float32, rows, ldd, stride int)", []string{
		"for i := range 16 {", "\tfor j := range 16 {", "\t\tdst[i*ldd+j] = x[min(j, rows-1)*stride+i]", "\t}", "}",
	}}
	joinOf = definition{"join", "func(dst, x []float32, rows, cols, ldd, stride, apart int)", []string{
		"for r := range rows {", "\ta, b := x[r*stride:], x[r*stride+apart:]", "\tfor i := range cols {",
		"\t\t// bfloat16s to the nearest, ties to even", "\t\tdst[r*ldd+i] = pair(low: bfloat16(a[i]), high: bfloat16(b[i]))", "\t}", "}",
	}}
	joinFourOf = definition{"join", "func(dst, x []float32, rows, cols, ldd, stride, apart int)", []string{
		"for r := range rows {", "\ta, b := x[r*stride:], x[r*stride+apart:]", "\tc, d := x[r*stride+2*apart:], x[r*stride+3*apart:]",
		"\tfor i := range cols {", "\t\t// bfloat16s to the nearest, ties to even",
		"\t\tdst[r*ldd+2*i] = pair(low: bfloat16(a[i]), high: bfloat16(b[i]))",
		"\t\tdst[r*ldd+2*i+1] = pair(low: bfloat16(c[i]), high: bfloat16(d[i]))", "\t}", "}",
	}}
	quantizeSignedOf = definition{"quantize", "func(dst, x []float32, shift, inverse float32, zero int32)", []string{
		"for i := range roundUp(len(x), 16) {", "\t// element i of dst as bytes; x[i] is 0 where x has ended",
		"\tdst[i] = int8(round((x[i]+shift)*inverse) + zero) // ties to even; -128 or 127 beyond", "}",
	}}
)

// quantizeBytesOf is the definition of the encoding of quadruples of bytes, in groups of lanes.
func quantizeBytesOf(lanes int) definition {
	return definition{"quantize", "func(dst, x []float32, shift, inverse float32, zero int32)", []string{
		fmt.Sprintf("for i := range roundUp(len(x), %d) {", lanes), "\t// element i of dst as bytes; x[i] is 0 where x has ended",
		"\tdst[i] = uint8(round((x[i]+shift)*inverse) + zero) // ties to even; 0 or 255 beyond", "}",
	}}
}

// quantizeRowsInBlocksOf is the definition of the encoding of rows as quadruples of bytes in blocks.
var quantizeRowsInBlocksOf = definition{"quantizeRows", "func(dst, x []float32, rows, cols, ldd, stride int, shift, levels float32, zero int32)", []string{
	"for r := range rows {", "\trow := x[r*stride:][:cols]", "\treach := max(abs(row)...) + shift", "\tscale, inverse := reach/levels, levels/reach // 0 where reach is below 1e-30",
	"\tn := roundUp(cols, 64)", "\tfor i := range n {", "\t\t// byte i%4 of an element; row[i] is 0 where row has ended",
	"\t\tdst[i/64*ldd+r*16+i%64/4] = uint8(round((row[i]+shift)*inverse) + zero) // ties to even; 0 or 255 beyond", "\t}",
	"\tdst[n/64*ldd+r*16] = scale", "}",
}}

// quantizeRowsOf is the definition of the encoding of rows as quadruples of bytes, one after the other.
var quantizeRowsOf = definition{"quantizeRows", "func(dst, x []float32, rows, cols, ldd, stride int, shift, levels float32, zero int32)", []string{
	"for r := range rows {", "\trow := x[r*stride:][:cols]", "\treach := max(abs(row)...) + shift", "\tscale, inverse := reach/levels, levels/reach // 0 where reach is below 1e-30",
	"\tfor i := range roundUp(cols, 64) {", "\t\t// byte i%4 of an element; row[i] is 0 where row has ended",
	"\t\tdst[r*ldd+i/4] = uint8(round((row[i]+shift)*inverse) + zero) // ties to even; 0 or 255 beyond", "\t}",
	"\tdst[r*ldd+(cols+3)/4] = scale", "}",
}}

// quantizeOf is the definition of the encoding of pairs of int16, in groups of lanes.
func quantizeOf(lanes int) definition {
	return definition{"quantize", "func(dst, x []float32, inverse float32)", []string{
		fmt.Sprintf("for i := range roundUp(len(x), %d) {", lanes), "\t// element i of dst as int16s; 0 where x has ended",
		"\tdst[i] = int16(round(x[i] * inverse)) // ties to even", "}",
	}}
}

// peakOf is the definition of a loop of nothing but multiply-adds on registers.
func peakOf(count int) definition {
	return definition{"peak", "func(turns int)", []string{
		"for range turns {", fmt.Sprintf("\t%d independent multiply-adds of whole registers", count), "}",
	}}
}

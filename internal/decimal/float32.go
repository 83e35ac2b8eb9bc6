package decimal

import "math"

// maxLen is the most bytes that Append writes for one value: sign and
// 21 digits of an integer below 1e21.
const maxLen = 24

// Append appends f as the shortest decimal that reads back to f, the
// nearest one to f where several are as short. Its form is encoding/json's: plain from
// 1e-6 to below 1e21, with an exponent outside. JSON has no NaN and no
// infinity: they become null.
func Append(b []byte, f float32) []byte {
	n := len(b)
	if cap(b)-n < maxLen {
		b = append(b, make([]byte, maxLen)...)
	}
	b = b[:n+maxLen]
	return b[:n+putFloat((*room)(b[n:]), f, fraction(f))]
}

// together is how many values AppendVector computes before it writes them: each is a chain of
// operations that wait for each other, and a processor looks ahead over less than two of those.
const together = 8

// AppendVector appends v as a JSON array.
func AppendVector(b []byte, v []float32) []byte {
	n := len(b)
	if need := len(v)*(maxLen+1) + 2; cap(b)-n < need {
		b = append(b, make([]byte, need)...)
	}
	b = b[:cap(b)]
	b[n] = '['
	n++
	var digits [together]uint64
	for rest := v; len(rest) > 0; rest = rest[min(together, len(rest)):] {
		part := rest[:min(together, len(rest))]
		for i, f := range part {
			digits[i] = fraction(f)
		}
		for i, f := range part {
			n += putFloat((*room)(b[n:]), f, digits[i])
			b[n] = ','
			n++
		}
	}
	if len(v) > 0 {
		n-- // the last comma
	}
	b[n] = ']'
	return b[:n+1]
}

// room is what a value is written into.
type room [maxLen]byte

// putFloat writes f at the start of b and returns how many bytes it took. digits are what
// fraction makes of f.
func putFloat(b *room, f float32, digits uint64) int {
	u := math.Float32bits(f)
	sign := int(u >> 31)
	b[0] = '-' // overwritten unless f is negative
	u &^= 1 << 31
	if isFraction(u) {
		if n := putFraction(b, sign, digits); n > 0 {
			return n
		}
	}
	if u-1 >= infinity-1 {
		return putOther(b, sign, u)
	}
	whole, exponent := shortest(u)
	return putDecimal(b, sign, whole, exponent)
}

// putOther writes 0, or null for what is no number.
func putOther(b *room, sign int, u uint32) int {
	if u == 0 {
		b[sign] = '0'
		return sign + 1
	}
	return copy(b[:], "null")
}

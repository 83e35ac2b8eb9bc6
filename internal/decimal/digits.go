package decimal

import (
	"encoding/binary"
	"math/bits"
)

// putDecimal writes d·10^e, d below 10^9 and not 0, behind a sign of so many bytes, and
// returns the length of both.
func putDecimal(b *room, sign int, d uint32, e int) int {
	n := decimalLen(d)
	point := n + e // digits before the decimal point
	d *= tenTo[(9-n)&15]
	first := d / 1e8
	rest := eightDigits(d - first*1e8)
	n = 9 - bits.LeadingZeros64(rest)/8 // digits that count
	rest |= 0x3030303030303030
	if uint(-point) > 5 {
		return sign + putApart(b[sign:], byte('0'+first), rest, n, point)
	}
	at := sign&1 - point
	binary.LittleEndian.PutUint64(b[sign&1:], 0x3030303030302e30) // 0.000000
	b[at+2] = byte('0' + first)
	binary.LittleEndian.PutUint64(b[at+3:], rest)
	return at + 2 + n
}

// putApart writes n digits, of which point are before the decimal point, unless none is and
// at most five zeros follow it.
func putApart(b []byte, first byte, rest uint64, n, point int) int {
	b[0] = first
	switch {
	case point > 21 || point < -5:
		b[1] = '.'
		binary.LittleEndian.PutUint64(b[2:], rest)
		if n == 1 {
			n = 0 // no point
		}
		return n + 1 + putExponent(b[n+1:], point-1)
	case point >= n:
		binary.LittleEndian.PutUint64(b[1:], rest)
		for i := 9; i < point; i++ {
			b[i] = '0'
		}
		return point
	default:
		binary.LittleEndian.PutUint64(b[1:], rest)
		copy(b[point+1:n+1], b[point:n])
		b[point] = '.'
		return n + 1
	}
}

func putExponent(b []byte, e int) int {
	b[0], b[1] = 'e', '+'
	if e < 0 {
		b[1], e = '-', -e
	}
	if e < 10 {
		b[2] = byte('0' + e)
		return 3
	}
	b[2], b[3] = byte('0'+e/10), byte('0'+e%10)
	return 4
}

// decimalLen is the number of digits of d: the sum's upper half has one more from a power of
// ten on.
func decimalLen(d uint32) int { return int((uint64(d) + digitsOf[bits.Len32(d)]) >> 32) }

// digitsOf[n] is 2^32 times one more than the digits of the least number of n bits, less the
// power of ten above it.
var digitsOf = func() (t [33]uint64) {
	for n := 1; n < len(t); n++ {
		digits, power := uint64(1), uint64(10)
		for ; power <= 1<<(n-1); power *= 10 {
			digits++
		}
		t[n] = (digits+1)<<32 - power
	}
	return t
}()

var tenTo = [16]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// eightDigits spreads the eight decimal digits of v over the bytes of a word,
// the first digit lowest: halves, then pairs, then digits, all lanes at once
// with multiplications by rounded reciprocals.
func eightDigits(v uint32) uint64 {
	high := v / 10000
	x := uint64(high) | uint64(v-high*10000)<<32
	t := x * 10486 >> 20 & 0x7f0000007f
	x = t | (x-100*t)<<16
	t = x * 103 >> 10 & 0x000f000f000f000f
	return t | (x-10*t)<<8
}

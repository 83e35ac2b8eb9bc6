package wire

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// MaxFloatLen is the most bytes that AppendFloat writes for one value: sign and
// 21 digits of an integer below 1e21.
const MaxFloatLen = 24

// AppendFloat appends f as the shortest decimal that reads back to f, the
// nearest one to f where several are as short. Its form is encoding/json's: plain from
// 1e-6 to below 1e21, with an exponent outside. JSON has no NaN and no
// infinity: they become null.
func AppendFloat(b []byte, f float32) []byte {
	n := len(b)
	if cap(b)-n < MaxFloatLen {
		b = append(b, make([]byte, MaxFloatLen)...)
	}
	return b[:n+putFloat(b[n:n+MaxFloatLen], f)]
}

// AppendVector appends v as a JSON array.
func AppendVector(b []byte, v []float32) []byte {
	n := len(b)
	if need := len(v)*(MaxFloatLen+1) + 2; cap(b)-n < need {
		b = append(b, make([]byte, need)...)
	}
	b = b[:cap(b)]
	b[n] = '['
	n++
	for _, f := range v {
		n += putFloat(b[n:n+MaxFloatLen], f)
		b[n] = ','
		n++
	}
	if len(v) > 0 {
		n-- // the last comma
	}
	b[n] = ']'
	return b[:n+1]
}

// putFloat writes f at the start of b, which has MaxFloatLen bytes, and returns
// how many it took.
func putFloat(b []byte, f float32) int {
	u := math.Float32bits(f)
	n := 0
	if u>>31 != 0 {
		b[0], n = '-', 1
	}
	u &= 1<<31 - 1
	switch {
	case u == 0:
		b[n] = '0'
		return n + 1
	case u >= infinity:
		return copy(b, "null")
	}
	digits, exponent := shortest(u)
	return n + putDecimal(b[n:], digits, exponent)
}

const (
	infinity     = 0xff << 23
	fractionBits = 23
	hidden       = 1 << fractionBits
	bias         = 127 + fractionBits
)

// shortest returns the decimal d·10^e with the fewest digits in the rounding
// interval of the positive finite float32 with bits u, and of those the nearest
// to it. d has at most nine digits and may end in zeros.
//
// The method is Raffaello Giulietti's ("The Schubfach way to render doubles",
// 2020) in its form for binary32. The interval's ends and the value itself are
// taken as multiples of a quarter of 10^k, the largest power of ten not above
// the interval's width; so at most two multiples of 10^k, and one of 10^(k+1),
// can lie inside.
func shortest(u uint32) (d uint32, e int) {
	c, q := u&(hidden-1), int(u>>fractionBits)
	narrow := c == 0 && q > 1 // a power of two: its neighbour below is nearer
	if q == 0 {
		q = 1
	} else {
		c |= hidden
	}
	q -= bias
	if -q >= 0 && -q <= fractionBits && c&(1<<-q-1) == 0 {
		return c >> -q, 0 // an integer below 2^24
	}

	low, odd := 4*c-2, c&1
	k := q * 1262611 // 2^22·log10(2)
	if narrow {
		low++
		k -= 524031 // 2^22·log10(4/3)
	}
	k >>= 22
	h := q + -k*1741647>>19 + 1 // 2^19·log2(10); floor
	g := tens[-k-firstTen]
	lower, value, upper := product(g, low<<h), product(g, 4*c<<h), product(g, (4*c+2)<<h)
	lower, upper = lower+odd, upper-odd // the ends belong to even significands

	s := value >> 2
	if s >= 10 {
		t := s / 10
		down, up := lower <= 40*t, 40*t+40 <= upper
		if down != up {
			if up {
				t++
			}
			return t, k + 1
		}
	}
	down, up := lower <= 4*s, 4*s+4 <= upper
	if down == up { // both inside: the nearer, ties to even
		up = value > 4*s+2 || value == 4*s+2 && s&1 != 0
	}
	if up {
		s++
	}
	return s, k
}

// product is g·c / 2^64 rounded to odd: its lowest bit also tells that something
// was cut off.
func product(g uint64, c uint32) uint32 {
	high, low := bits.Mul64(g, uint64(c))
	if low>>32 > 1 { // 0 and 1 may stem from g being rounded up
		return uint32(high) | 1
	}
	return uint32(high)
}

// tens[i] is 10^(firstTen+i), scaled to 64 bits and rounded up.
var tens = scaledTens()

const (
	firstTen = -31
	lastTen  = 46
)

func scaledTens() (t [lastTen - firstTen + 1]uint64) {
	ten := big.NewInt(10)
	for i := range t {
		e := int64(firstTen + i)
		power := new(big.Int).Exp(ten, big.NewInt(max(e, -e)), nil)
		if e < 0 { // 2^(63+bits)/10^-e, rounded up below
			power.Div(new(big.Int).Lsh(big.NewInt(1), 128+uint(power.BitLen())), power)
		}
		shift := power.BitLen() - 64
		if shift <= 0 {
			t[i] = power.Uint64() << -shift
		} else {
			t[i] = power.Rsh(power, uint(shift)).Uint64()
		}
		if e < 0 || shift > 0 {
			t[i]++
		}
	}
	return t
}

// putDecimal writes d·10^e, d below 10^9 and not 0, and returns its length.
func putDecimal(b []byte, d uint32, e int) int {
	n := decimalLen(d)
	point := n + e // digits before the decimal point
	d *= tenTo[9-n]
	first := d / 1e8
	rest := eightDigits(d - first*1e8)
	n = 9 - bits.LeadingZeros64(rest)/8 // digits that count
	rest |= 0x3030303030303030
	b = b[:MaxFloatLen-1]
	switch {
	case point > 21 || point < -5:
		b[0] = byte('0' + first)
		b[1] = '.'
		binary.LittleEndian.PutUint64(b[2:], rest)
		if n == 1 {
			n = 0 // no point
		}
		return n + 1 + putExponent(b[n+1:], point-1)
	case point <= 0:
		binary.LittleEndian.PutUint64(b, 0x3030303030302e30) // 0.000000
		b[2-point] = byte('0' + first)
		binary.LittleEndian.PutUint64(b[3-point:], rest)
		return 2 - point + n
	case point >= n:
		b[0] = byte('0' + first)
		binary.LittleEndian.PutUint64(b[1:], rest)
		for i := 9; i < point; i++ {
			b[i] = '0'
		}
		return point
	default:
		b[0] = byte('0' + first)
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

// decimalLen is the number of digits of d.
func decimalLen(d uint32) int {
	n := bits.Len32(d) * 1233 >> 12
	if d >= tenTo[n] {
		n++
	}
	return n
}

var tenTo = [...]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

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

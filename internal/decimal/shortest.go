package decimal

import (
	"math/big"
	"math/bits"
)

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
	return inside(uint64(lower+odd), uint64(value), uint64(upper-odd)), k // the ends belong to even significands
}

// inside returns the multiple of four between lower and upper, divided by four, that is a
// multiple of forty or, if none is or two are, the nearest to value. Which it is, is as good as
// random, so nothing here branches: a wrong guess takes a processor as long as all of this.
func inside(lower, value, upper uint64) uint32 {
	s := value >> 2
	down, up := notAbove(lower, 4*s), notAbove(4*s+4, upper)
	nearer := notAbove(4*s+3-s&1, value) // ties to even
	s += choose(down^up, up, nearer)     // both inside: the nearer

	t := value / 40
	down, up = notAbove(lower, 40*t), notAbove(40*t+40, upper)
	return uint32(choose((down^up)&notAbove(40, value), 10*(t+up), s))
}

// notAbove is 1 if a <= b, else 0; both are below 2^63.
func notAbove(a, b uint64) uint64 { return (a - b - 1) >> 63 }

// choose returns x if which is 1, and y if it is 0.
func choose(which, x, y uint64) uint64 { return y ^ (x^y)&-which }

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

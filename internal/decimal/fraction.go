package decimal

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// What vectors are made of, numbers from 2^-15 to below 1, has a way of its own, which takes less
// than half of the time: such a float32 times the power of ten that makes its last place a
// number from 1 to below 10 is a float64 exactly.

const (
	one           = 127 << fractionBits
	fractions     = 15 // powers of two; below them products are no longer exact
	leastFraction = (127 - fractions) << fractionBits
	places        = 12 // decimal places that the least of them take
)

// isFraction tells whether u is the bits of such a number, but for powers of two, whose
// neighbour below is nearer than that above.
func isFraction(u uint32) bool { return u-leastFraction < one-leastFraction && u&(hidden-1) != 0 }

// scale is what fractions of one power of two are multiplied by.
type scale struct {
	power  float64    // the power of ten
	halves [2]float64 // how far from a product what reads back to it may be, of even and odd significands
	rest   uint64     // the power of ten from there to as many places
}

// scales has one for each exponent, and one more, which makes an index of four bits.
var scales = func() (list [fractions + 1]scale) {
	for i := range list {
		last := math.Ldexp(1, i-fractions-fractionBits)
		power, rest := 1.0, uint64(1e12)
		for last*power < 1 {
			power *= 10
			rest /= 10
		}
		half := last * power / 2
		list[i] = scale{power, [2]float64{half, math.Nextafter(half, 0)}, rest}
	}
	return list
}()

// fraction returns the shortest decimal of |f| times 10^places if that isFraction, and else
// anything. As shortest does, it takes the multiple of ten within reach of f, if there is one,
// or else the nearest number.
func fraction(f float32) uint64 {
	const shift = 1 << 52 // what is added to it is rounded to a whole number, ties to even
	u := math.Float32bits(f) &^ (1 << 31)
	s := &scales[(u-leastFraction)>>fractionBits%(fractions+1)]
	x := float64(math.Float32frombits(u)) * s.power
	ten := (x*0.1 + shift - shift) * 10
	near := math.Float64bits(x+shift) & (shift - 1)
	apart := s.halves[u&1] - math.Abs(ten-x) // below 0: out of reach
	return s.rest * choose(math.Float64bits(apart)>>63, near, uint64(int64(ten)))
}

// putFraction writes 0. and the digits of digits/10^places, but for zeros at their end, and
// returns how many bytes that took. Where more than the last seven are zeros it returns 0.
func putFraction(b *room, sign int, digits uint64) int {
	first := uint32(digits / 1e8)
	rest := eightDigits(uint32(digits - uint64(first)*1e8))
	if rest == 0 {
		return 0
	}
	at := sign & 1
	binary.LittleEndian.PutUint16(b[at:], 0x2e30) // 0.
	binary.LittleEndian.PutUint32(b[at+2:], fourDigits(first)|0x30303030)
	binary.LittleEndian.PutUint64(b[at+6:], rest|0x3030303030303030)
	return at + 14 - bits.LeadingZeros64(rest)/8
}

// fourDigits is eightDigits of four.
func fourDigits(v uint32) uint32 {
	t := v * 10486 >> 20
	v = t | (v-100*t)<<16
	t = v * 103 >> 10 & 0x000f000f
	return t | (v-10*t)<<8
}

package kernel

// Where there is no instruction that adds products of bytes in 32 bits (AVX2 has none),
// they are added four at a time in 16, which would saturate: two of 255·127 are too much.
// There weights have a unit so large that no four of them can go too far, whatever the
// inputs are: positive ones add up to 128 at most, and negative ones, since 255·128 <
// 2^15. In a row of 384 weights that are normally distributed, a unit is then about 1.8
// times what it would be with all of a byte's levels.

// topSum is what the magnitudes of four weights that meet in a sum add up to, in units,
// before each is rounded, which may add a half.
const topSum = 128 - 4*0.5

// inNarrowSums makes Int8 and Int8GELU of newInt8 those of kernels that add four
// products in 16 bits.
func inNarrowSums(plain, gelu *arithmetic) (*arithmetic, *arithmetic) {
	weights := *plain
	weights.largest = narrowReach
	plain.weights, gelu.weights = &weights, &weights
	plain.narrowSums, gelu.narrowSums = true, true
	return plain, gelu
}

// narrowSums tells whether the level's products of Int8 are such.
func (s *Set) narrowSums() bool {
	a, ok := s.linear[Int8]
	return ok && a.narrowSums
}

// narrowReach is what a byte's topByte levels stand for in weights x of one output: the
// largest magnitude, or more where four that meet in a sum would go too far. These are
// the first, second, fifth and sixth of eight in a row, and the others.
func narrowReach(x []float32) float32 {
	reach := largestGeneric(x)
	for ; len(x) > 0; x = x[min(8, len(x)):] {
		for first := 0; first < min(4, len(x)); first += 2 {
			reach = max(reach, oneSided(x[first:])*(topByte/topSum))
		}
	}
	return reach
}

// oneSided is the larger of the sums of the positive and of the negative ones of x's
// elements 0, 1, 4 and 5.
func oneSided(x []float32) float32 {
	var above, below float32
	for _, i := range [...]int{0, 1, 4, 5} {
		if i < len(x) {
			above, below = above+max(x[i], 0), below-min(x[i], 0)
		}
	}
	return max(above, below)
}

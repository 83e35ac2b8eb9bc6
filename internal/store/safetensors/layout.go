package safetensors

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

const maxInt = math.MaxInt

// dtypeBits gives the width of an element, for every dtype of the format.
var dtypeBits = map[string]uint64{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"U16": 16, "I16": 16, "F16": 16, "BF16": 16,
	"U32": 32, "I32": 32, "F32": 32,
	"U64": 64, "I64": 64, "F64": 64, "C64": 64,
}

// checkLayout checks every tensor against its shape and all of them against the
// data's size: in the order of their offsets they must follow one another
// without overlap or gap, from the first byte to the last.
func (h *header) checkLayout(size int64) error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	var reached int64
	for _, e := range h.entries {
		if reason := e.check(reached, size); reason != nil {
			return &FormatError{Tensor: e.name, Reason: reason.Reason}
		}
		reached = e.end
	}
	if reached != size {
		return fault("the tensors end at byte %d of the data, the file at byte %d", reached, size)
	}
	return nil
}

// check tells what is wrong with a tensor that should start at byte reached of
// size bytes of data; nil when nothing is.
func (e *entry) check(reached, size int64) *FormatError {
	if e.begin > e.end {
		return fault("data_offsets [%d, %d] run backwards", e.begin, e.end)
	}
	if e.end > size {
		return fault("data_offsets [%d, %d] reach past the file's %d bytes of data", e.begin, e.end, size)
	}
	if e.begin < reached {
		return fault("data_offsets [%d, %d] overlap the tensor before, which ends at %d", e.begin, e.end, reached)
	}
	if e.begin > reached {
		return fault("data_offsets [%d, %d] leave a gap after byte %d", e.begin, e.end, reached)
	}
	return e.checkShape()
}

func (e *entry) checkShape() *FormatError {
	width, known := dtypeBits[e.dtype]
	if !known {
		return fault("unknown dtype %.40q", e.dtype)
	}
	total := width
	for _, dim := range e.shape {
		over, low := bits.Mul64(total, uint64(dim))
		if over != 0 {
			return fault("shape %.200s of %s overflows 64 bits", fmt.Sprint(e.shape), e.dtype)
		}
		total = low
	}
	if total%8 != 0 {
		return fault("shape %.200s of %s is not a whole number of bytes", fmt.Sprint(e.shape), e.dtype)
	}
	if total/8 != uint64(e.end-e.begin) {
		return fault("shape %.200s of %s needs %d bytes, data_offsets [%d, %d] hold %d",
			fmt.Sprint(e.shape), e.dtype, total/8, e.begin, e.end, e.end-e.begin)
	}
	return nil
}

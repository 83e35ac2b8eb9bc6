package tensor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Tensor is one input or output. Data is shared with whoever made it.
type Tensor struct {
	Name     string
	Datatype Datatype
	Shape    []int64
	Data     []byte
	Source   Source // unless nil, what makes Data once somebody needs it
}

// Source makes the data of a tensor.
type Source interface{ Data(Datatype) []byte }

// Fill sees to it that Data is there.
func (t *Tensor) Fill() {
	if t.Source != nil {
		t.Data, t.Source = t.Source.Data(t.Datatype), nil
	}
}

// Datatype is the protocol's name of an element type.
type Datatype string

// The datatypes of the protocol.
const (
	Bool   Datatype = "BOOL"
	Uint8  Datatype = "UINT8"
	Uint16 Datatype = "UINT16"
	Uint32 Datatype = "UINT32"
	Uint64 Datatype = "UINT64"
	Int8   Datatype = "INT8"
	Int16  Datatype = "INT16"
	Int32  Datatype = "INT32"
	Int64  Datatype = "INT64"
	FP16   Datatype = "FP16"
	FP32   Datatype = "FP32"
	FP64   Datatype = "FP64"
	BF16   Datatype = "BF16"
	Bytes  Datatype = "BYTES"
)

// Size is the number of bytes of one element: 0 for BYTES, whose elements
// differ, and -1 for what is no datatype.
func (d Datatype) Size() int {
	switch d {
	case Bytes:
		return 0
	case Bool, Uint8, Int8:
		return 1
	case Uint16, Int16, FP16, BF16:
		return 2
	case Uint32, Int32, FP32:
		return 4
	case Uint64, Int64, FP64:
		return 8
	}
	return -1
}

// Elements multiplies a shape's dimensions. Negative ones and products beyond
// an int64 are errors.
func Elements(shape []int64) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %s has a negative dimension", FormatShape(shape))
		case d > 0 && n > math.MaxInt64/d:
			return 0, fmt.Errorf("shape %s has more elements than can be counted", FormatShape(shape))
		}
		n *= d
	}
	return n, nil
}

// FormatShape writes a shape as the protocol's messages do: [2,384].
func FormatShape(shape []int64) string {
	words := make([]string, len(shape))
	for i, d := range shape {
		words[i] = strconv.FormatInt(d, 10)
	}
	return "[" + strings.Join(words, ",") + "]"
}

// ByteSize is the length that a shape demands of Data. BYTES has none: use
// Strings.
func ByteSize(d Datatype, shape []int64) (int64, error) {
	n, err := Elements(shape)
	size := int64(d.Size())
	switch {
	case err != nil:
		return 0, err
	case size <= 0:
		return 0, fmt.Errorf("datatype %s has no fixed size", d)
	case n > math.MaxInt64/size:
		return 0, fmt.Errorf("shape %s has more bytes than can be counted", FormatShape(shape))
	}
	return n * size, nil
}

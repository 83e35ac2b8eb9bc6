package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// lengthSize is the size of the length before each element of a BYTES tensor.
const lengthSize = 4

// AppendString appends one element of a BYTES tensor.
func AppendString(data []byte, element string) []byte {
	data = binary.LittleEndian.AppendUint32(data, uint32(len(element)))
	return append(data, element...)
}

// StringsData is the data of a BYTES tensor of these elements.
func StringsData(elements []string) []byte {
	size := 0
	for _, e := range elements {
		size += lengthSize + len(e)
	}
	data := make([]byte, 0, size)
	for _, e := range elements {
		data = AppendString(data, e)
	}
	return data
}

// Strings reads the n elements of a BYTES tensor. Data that holds fewer or more,
// or an element that is longer than what is left, is an error that says which
// element and how long.
func Strings(data []byte, n int64) ([]string, error) {
	if err := CheckStrings(data, n); err != nil {
		return nil, err
	}
	list := make([]string, n)
	text := string(data) // one copy, of which every element is a part
	at := 0
	for i := range list {
		size := int(binary.LittleEndian.Uint32(data[at:]))
		at += lengthSize
		list[i] = text[at:][:size]
		at += size
	}
	return list, nil
}

// CheckStrings gives the error that Strings would.
func CheckStrings(data []byte, n int64) error {
	if n > int64(len(data)/lengthSize) {
		return fmt.Errorf("expecting %d string elements, but %d bytes hold at most %d", n, len(data), len(data)/lengthSize)
	}
	k := int64(0)
	for ; len(data) > 0; k++ {
		switch {
		case k == n:
			return fmt.Errorf("expecting %d string elements, but %d bytes follow them", n, len(data))
		case len(data) < lengthSize:
			return fmt.Errorf("incomplete string length indicator of element %d, expecting %d bytes but only %d bytes available", k, lengthSize, len(data))
		}
		size := binary.LittleEndian.Uint32(data)
		data = data[lengthSize:]
		if uint64(size) > uint64(len(data)) {
			return fmt.Errorf("string element %d says it has %d bytes but only %d bytes are left", k, size, len(data))
		}
		data = data[size:]
	}
	if k != n {
		return fmt.Errorf("expecting %d string elements, got %d", n, k)
	}
	return nil
}

// Ints reads the elements of an integer tensor of any width, signed or not.
func Ints(d Datatype, data []byte) ([]int64, error) {
	size := d.Size()
	if size <= 0 || len(data)%size != 0 {
		return nil, fmt.Errorf("%d bytes are no %s tensor", len(data), d)
	}
	list := make([]int64, len(data)/size)
	for i := range list {
		at := data[i*size:]
		switch d {
		case Int64:
			list[i] = int64(binary.LittleEndian.Uint64(at))
		case Uint64:
			list[i] = int64(min(binary.LittleEndian.Uint64(at), math.MaxInt64))
		case Int32:
			list[i] = int64(int32(binary.LittleEndian.Uint32(at)))
		case Uint32:
			list[i] = int64(binary.LittleEndian.Uint32(at))
		case Int16:
			list[i] = int64(int16(binary.LittleEndian.Uint16(at)))
		case Uint16:
			list[i] = int64(binary.LittleEndian.Uint16(at))
		case Int8:
			list[i] = int64(int8(at[0]))
		case Uint8, Bool:
			list[i] = int64(at[0])
		default:
			return nil, fmt.Errorf("%s is not an integer datatype", d)
		}
	}
	return list, nil
}

// AppendInt appends one element of an integer tensor of that datatype.
func AppendInt(data []byte, d Datatype, v int64) []byte {
	switch d.Size() {
	case 8:
		return binary.LittleEndian.AppendUint64(data, uint64(v))
	case 4:
		return binary.LittleEndian.AppendUint32(data, uint32(v))
	case 2:
		return binary.LittleEndian.AppendUint16(data, uint16(v))
	}
	return append(data, byte(v))
}

// AppendFloats appends the elements of an FP32 tensor.
func AppendFloats(data []byte, v []float32) []byte {
	at := len(data)
	data = slices.Grow(data, 4*len(v))[:at+4*len(v)]
	for _, f := range v {
		binary.LittleEndian.PutUint32(data[at:], math.Float32bits(f))
		at += 4
	}
	return data
}

// Floats reads the elements of an FP32 tensor.
func Floats(data []byte) ([]float32, error) {
	if len(data)%4 != 0 {
		return nil, fmt.Errorf("%d bytes are no %s tensor", len(data), FP32)
	}
	v := make([]float32, len(data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return v, nil
}

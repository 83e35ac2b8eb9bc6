package cpu

import (
	"encoding/binary"
	"math"

	"github.com/paceline/paceline/internal/model"
)

// narrow stores a float32 tensor in another type, truncating, at an odd address.
func narrow(x model.Tensor, dtype string) model.Tensor {
	out := []byte{0}
	for i := 0; i < len(x.Data); i += 4 {
		bits := binary.LittleEndian.Uint32(x.Data[i:])
		switch dtype {
		case "F32":
			out = binary.LittleEndian.AppendUint32(out, bits)
		case "BF16":
			out = binary.LittleEndian.AppendUint16(out, uint16(bits>>16))
		case "F16":
			out = binary.LittleEndian.AppendUint16(out, halfBits(bits))
		}
	}
	return model.Tensor{DType: dtype, Shape: x.Shape, Data: out[1:]}
}

// halfBits truncates a float32 of moderate size to binary16; smaller ones become 0.
func halfBits(bits uint32) uint16 {
	exponent := int(bits>>23&0xff) - 127 + 15
	if exponent < 1 {
		return 0
	}
	return uint16(bits>>31<<15) | uint16(min(exponent, 30)<<10) | uint16(bits>>13&0x3ff)
}

// floats is a float32 tensor of those values.
func floats(values []float32, shape []int) model.Tensor {
	var data []byte
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return model.Tensor{DType: "F32", Shape: shape, Data: data}
}

package bulk

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// npyCodec writes NumPy's format, version 1.0 (numpy/lib/_format_impl.py): a header
// that has room for any number of rows, and then little-endian float32. A row without
// a vector is zeros.
type npyCodec struct{ dim int }

// npyHeader is how long the header is: a multiple of 64, as NumPy's own.
const npyHeader = 128

func (c npyCodec) begin() []byte { return c.header(0) }

func (c npyCodec) header(rows int64) []byte {
	const magic = "\x93NUMPY\x01\x00"
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, c.dim)
	b := binary.LittleEndian.AppendUint16([]byte(magic), npyHeader-uint16(len(magic))-2)
	b = append(b, dict...)
	b = append(b, strings.Repeat(" ", npyHeader-len(b)-1)...)
	return append(b, '\n')
}

func (c npyCodec) encode(p *piece, _ int64) (data, note []byte, err error) {
	data = make([]byte, 0, 4*c.dim*len(p.vectors))
	zeros := make([]float32, c.dim)
	for _, v := range p.vectors {
		if v == nil {
			v = zeros
		}
		for _, x := range v {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	}
	return data, nil, nil
}

func (c npyCodec) end(rows int64, _ [][]byte) (begin, tail []byte, err error) {
	return c.header(rows), nil, nil
}

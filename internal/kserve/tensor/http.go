package tensor

import "fmt"

// HeaderLength is the HTTP header of the binary extension: the length of the
// JSON that comes before the raw tensors in a body.
const HeaderLength = "Inference-Header-Content-Length"

// Raw hands out the raw tensors behind a body's JSON, in order.
type Raw struct{ rest []byte }

// NewRaw starts at the first byte behind the JSON.
func NewRaw(data []byte) *Raw { return &Raw{data} }

// Next takes a tensor of that many bytes.
func (r *Raw) Next(size int64) ([]byte, error) {
	if size < 0 || size > int64(len(r.rest)) {
		return nil, fmt.Errorf("binary_data_size is %d but %d bytes of binary data are left", size, len(r.rest))
	}
	data := r.rest[:size:size]
	r.rest = r.rest[size:]
	return data, nil
}

// Left is the number of bytes that nobody has taken.
func (r *Raw) Left() int { return len(r.rest) }

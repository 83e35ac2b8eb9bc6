package pickle

import "fmt"

// storage is a run of numbers that tensors are views of.
type storage struct {
	storageType
	key    string // its name in the archive
	values int64
}

// tensor is a view of a storage: element (i, j, …) is value offset + i·stride[0] +
// j·stride[1] + ….
type tensor struct {
	storage
	offset       int64
	size, stride []int64
}

// maxDimensions is far beyond what weights have.
const maxDimensions = 8

// newTensor checks that the view lies inside its storage and has no more values than
// it: every size and stride is then small enough to multiply.
func newTensor(s storage, offset int64, size, stride []int64) (tensor, error) {
	t := tensor{s, offset, size, stride}
	if len(size) != len(stride) || len(size) > maxDimensions {
		return t, fmt.Errorf("a tensor of %d dimensions and %d strides", len(size), len(stride))
	}
	if !t.fits() {
		return t, fmt.Errorf("a tensor of size %v and stride %v from value %d on in a storage of %d", size, stride, offset, s.values)
	}
	return t, nil
}

func (t *tensor) fits() bool {
	if t.offset < 0 || t.offset > t.values {
		return false
	}
	last, values := t.offset, int64(1)
	for i, n := range t.size {
		if n < 0 || t.stride[i] < 0 || n > 0 && values > t.values/n || n > 1 && t.stride[i] > t.values/(n-1) {
			return false
		}
		values *= n
		last += max(n-1, 0) * t.stride[i]
	}
	return values == 0 || last < t.values
}

// count is how many values the tensor has.
func (t *tensor) count() int64 {
	n := int64(1)
	for _, d := range t.size {
		n *= d
	}
	return n
}

// contiguous tells whether the values lie in the order in which they are written.
func (t *tensor) contiguous() bool {
	step := int64(1)
	for i := len(t.size) - 1; i >= 0; i-- {
		if t.size[i] != 1 && t.stride[i] != step {
			return false
		}
		step *= t.size[i]
	}
	return true
}

// gather appends the values in order; data is the whole storage.
func (t *tensor) gather(data []byte) []byte {
	width := int64(t.bytes)
	out := make([]byte, 0, t.count()*width)
	index := make([]int64, len(t.size))
	for range t.count() {
		at := t.offset
		for i, n := range index {
			at += n * t.stride[i]
		}
		out = append(out, data[at*width:(at+1)*width]...)
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < t.size[i] {
				break
			}
			index[i] = 0
		}
	}
	return out
}

package model

// Tensor is one named array of a checkpoint, as it lies in the file.
type Tensor struct {
	DType string // safetensors' names: F32, F16, BF16, I64, …
	Shape []int
	Data  []byte // little-endian, row-major; may be mapped read-only memory
}

// Tensors gives access to a checkpoint by tensor name.
type Tensors interface {
	// Tensor returns the tensor of that exact name; ok is false when there is none.
	Tensor(name string) (t Tensor, ok bool)
	// Names lists the tensors in lexical order.
	Names() []string
}

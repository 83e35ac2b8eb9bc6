package model

import (
	"fmt"
	"slices"
	"strings"
)

// checkpoint looks tensors up by the names a family gives them and checks their
// types and shapes. Like bufio.Writer it remembers the first error, so that a
// family reads as data; every method is harmless after one.
type checkpoint struct {
	tensors Tensors
	prefix  string // before every name: "", "bert.", "model.", …
	err     error
}

// newCheckpoint finds the prefix of the tensor names from a tensor that every
// checkpoint of the family has.
func newCheckpoint(tensors Tensors, anchor string) *checkpoint {
	c := &checkpoint{tensors: tensors}
	if _, ok := tensors.Tensor(anchor); ok {
		return c
	}
	for _, name := range tensors.Names() {
		prefix, ok := strings.CutSuffix(name, "."+anchor)
		if ok && (c.prefix == "" || len(prefix) < len(c.prefix)) {
			c.prefix = prefix + "."
		}
	}
	if c.prefix == "" {
		c.err = fmt.Errorf("the checkpoint has %d tensors and none is named %s or …%s", len(tensors.Names()), anchor, "."+anchor)
	}
	return c
}

func (c *checkpoint) has(name string) bool {
	_, ok := c.tensors.Tensor(c.prefix + name)
	return ok
}

// hasUnder tells whether some tensor's name begins so.
func (c *checkpoint) hasUnder(name string) bool {
	return slices.ContainsFunc(c.tensors.Names(), func(s string) bool { return strings.HasPrefix(s, c.prefix+name) })
}

// table is a whole tensor of that shape.
func (c *checkpoint) table(name string, shape ...int) Part {
	return c.rows(name, 0, shape[0], shape...)
}

// rows is some rows of a tensor of that shape.
func (c *checkpoint) rows(name string, first, rows int, shape ...int) Part {
	if c.err != nil {
		return Part{}
	}
	name = c.prefix + name
	t, ok := c.tensors.Tensor(name)
	if !ok {
		c.err = fmt.Errorf("tensor %s is missing from the checkpoint", name)
	} else if err := checkTensor(t, shape); err != nil {
		c.err = fmt.Errorf("tensor %s: %w", name, err)
	}
	return Part{Name: name, First: first, Rows: rows}
}

func (c *checkpoint) linear(name string, out, in int, bias bool) Linear {
	l := Linear{In: in, Out: out, Weight: c.table(name+".weight", out, in)}
	if bias {
		l.Bias = c.table(name+".bias", out)
	}
	return l
}

// fused is one tensor that holds the weights of n linear layers, one below the
// other.
func (c *checkpoint) fused(name string, n, out, in int, bias bool) []Linear {
	list := make([]Linear, n)
	for i := range list {
		list[i] = Linear{In: in, Out: out, Weight: c.rows(name+".weight", i*out, out, n*out, in)}
		if bias {
			list[i].Bias = c.rows(name+".bias", i*out, out, n*out)
		}
	}
	return list
}

// norm also knows the names gamma and beta, which the oldest checkpoints,
// converted from TensorFlow, carry.
func (c *checkpoint) norm(name string, width int, eps float64, bias bool) Norm {
	weight, shift := name+".weight", name+".bias"
	if !c.has(weight) && c.has(name+".gamma") {
		weight, shift = name+".gamma", name+".beta"
	}
	n := Norm{Weight: c.table(weight, width), Eps: float32(eps)}
	if bias {
		n.Bias = c.table(shift, width)
	}
	return n
}

// rms is a norm without a mean and without a bias.
func (c *checkpoint) rms(name string, width int, eps float64) Norm {
	n := c.norm(name, width, eps, false)
	n.RMS = true
	return n
}

// layers reads n layers, or as many as there are before the first error.
func (c *checkpoint) layers(n int, read func(c *checkpoint, i int) Layer) []Layer {
	var list []Layer
	for i := 0; i < n && c.err == nil; i++ {
		list = append(list, read(c, i))
	}
	return list
}

// bytesPerValue lists the types that weights may have.
var bytesPerValue = map[string]int{"F32": 4, "F16": 2, "BF16": 2}

func checkTensor(t Tensor, shape []int) error {
	size, ok := bytesPerValue[t.DType]
	if !ok {
		return fmt.Errorf("type %s; weights must be F32, F16 or BF16", t.DType)
	}
	if !slices.Equal(t.Shape, shape) {
		return fmt.Errorf("shape %v; config.json says %v", t.Shape, shape)
	}
	for _, n := range shape {
		size *= n
	}
	if len(t.Data) != size {
		return fmt.Errorf("%d bytes; shape %v of %s has %d", len(t.Data), t.Shape, t.DType, size)
	}
	return nil
}

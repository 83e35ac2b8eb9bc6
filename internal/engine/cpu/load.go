package cpu

import (
	"fmt"
	"slices"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// converters widen a checkpoint's numbers to float32.
var converters = map[string]struct {
	bytes int
	widen func(dst []float32, src []byte)
}{
	"F32":  {4, kernel.WidenFloat32},
	"F16":  {2, kernel.WidenFloat16},
	"BF16": {2, kernel.WidenBFloat16},
}

// loader reads the tensors that a Spec names. It remembers the first error and
// then returns zeros of the shape asked for, so that what it builds needs no checks.
// Each goroutine has its own.
type loader struct {
	tensors model.Tensors
	set     *kernel.Set
	dtype   kernel.DType // that layers are packed for
	arena   *kernel.Arena
	err     error
}

// part looks a part up and checks that it has the shape wanted.
func (l *loader) part(p model.Part, shape ...int) (model.Tensor, bool) {
	if l.err != nil {
		return model.Tensor{}, false
	}
	t, ok := p.Of(l.tensors)
	if !ok {
		l.err = l.absent(p, shape)
		return t, false
	}
	c, known := converters[t.DType]
	size := c.bytes
	for _, n := range shape {
		size *= n
	}
	switch {
	case !known:
		l.err = fmt.Errorf("tensor %s: type %s; weights must be F32, F16 or BF16", p.Name, t.DType)
	case !slices.Equal(t.Shape, shape):
		l.err = fmt.Errorf("tensor %s: shape %v; the model needs %v", p.Name, t.Shape, shape)
	case len(t.Data) != size:
		l.err = fmt.Errorf("tensor %s: %d bytes; shape %v of %s has %d", p.Name, len(t.Data), shape, t.DType, size)
	}
	if l.err != nil {
		return model.Tensor{}, false
	}
	return t, true
}

func (l *loader) absent(p model.Part, shape []int) error {
	whole, ok := l.tensors.Tensor(p.Name)
	if !ok {
		return fmt.Errorf("tensor %s of shape %v is missing from the checkpoint", p.Name, shape)
	}
	return fmt.Errorf("tensor %s: shape %v has no rows %d to %d", p.Name, whole.Shape, p.First, p.First+p.Rows-1)
}

// vector reads n values. The zero part gives nil.
func (l *loader) vector(p model.Part, n int) []float32 {
	if p.IsZero() {
		return nil
	}
	return l.read(p, n)
}

// matrix reads rows x cols values.
func (l *loader) matrix(p model.Part, rows, cols int) kernel.Matrix {
	return kernel.NewMatrix(l.read(p, rows, cols), rows, cols)
}

func (l *loader) read(p model.Part, shape ...int) []float32 {
	size := 1
	for _, n := range shape {
		size *= n
	}
	values := make([]float32, size)
	if t, ok := l.part(p, shape...); ok {
		converters[t.DType].widen(values, t.Data)
	}
	return values
}

func (l *loader) linear(m model.Linear) linear {
	bias := make([]float32, m.Out)
	if !m.Bias.IsZero() {
		bias = l.vector(m.Bias, m.Out)
	}
	if m.Transposed {
		return linear{transposed(l.matrix(m.Weight, m.In, m.Out)), bias}
	}
	weight := stored{rows: m.Out, cols: m.In}
	weight.tensor, _ = l.part(m.Weight, m.Out, m.In)
	return linear{weight, bias}
}

// norm is a norm's parameters. Without gamma it is the identity.
type norm struct {
	gamma, beta []float32
	epsilon     float32
	rms         bool
}

func (l *loader) norm(n model.Norm, width int) norm {
	if n.IsZero() {
		return norm{}
	}
	beta := l.vector(n.Bias, width)
	if beta == nil {
		beta = make([]float32, width)
	}
	gamma := l.vector(n.Weight, width)
	if n.FromOne {
		for i := range gamma {
			gamma[i]++
		}
	}
	return norm{gamma: gamma, beta: beta, epsilon: n.Eps, rms: n.RMS}
}

func (n *norm) isIdentity() bool { return n.gamma == nil }

// apply sets dst, which may be x, to the norm of each row of x.
func (n *norm) apply(set *kernel.Set, dst, x kernel.Matrix) {
	if n.rms {
		set.RMSNorm(dst, x, n.gamma, n.beta, n.epsilon)
	} else {
		set.LayerNorm(dst, x, n.gamma, n.beta, n.epsilon)
	}
}

// scaledBy is the norm with its results multiplied by factor.
func (n norm) scaledBy(factor float32) norm {
	n.gamma, n.beta = slices.Clone(n.gamma), slices.Clone(n.beta)
	for i := range n.gamma {
		n.gamma[i] *= factor
		n.beta[i] *= factor
	}
	return n
}

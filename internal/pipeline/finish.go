package pipeline

import "math"

// FinishOptions says what becomes of a vector that an engine has pooled.
type FinishOptions struct {
	Normalize bool // scale to length 1
	// BeforeCut scales the whole vector and not what truncate_dim leaves of it, as
	// sentence-transformers does where nobody but the model asks for length 1.
	BeforeCut  bool
	Dimensions int // keep that many leading values (Matryoshka, arXiv 2205.13147); 0 for the model's own number
}

// Finish turns an engine's vector into the embedding, in place: cut, then scaled,
// so that of Dimensions values as well the length is 1.
// Its errors are ErrDimensions and ErrNotFinite.
func (p *Pipeline) Finish(vector []float32, o FinishOptions) ([]float32, error) {
	dim := p.dim
	if o.Dimensions != 0 {
		if err := p.CheckDimensions(o.Dimensions); err != nil {
			return nil, err
		}
		dim = o.Dimensions
	}
	kept := vector[:dim:dim]
	if !o.BeforeCut || o.Dimensions != 0 {
		vector = kept
	}
	norm := length(vector)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil, ErrNotFinite
	}
	if o.Normalize {
		scale(kept, norm)
	}
	return kept, nil
}

// CheckDimensions tells before any work is done whether Finish will refuse a
// number of dimensions; 0 is the model's own.
func (p *Pipeline) CheckDimensions(n int) error {
	if n < 0 || n > p.width {
		return &DimensionsError{Dimensions: n, Max: p.width}
	}
	return nil
}

func length(vector []float32) float64 {
	var sum float64
	for _, x := range vector {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// scale divides by the norm, or by 1e-12 where that is larger, as PyTorch's
// normalize does: a zero vector stays zero.
func scale(vector []float32, norm float64) {
	inverse := 1 / max(norm, 1e-12)
	for i, x := range vector {
		vector[i] = float32(float64(x) * inverse)
	}
}

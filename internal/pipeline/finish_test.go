package pipeline

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func TestFinish(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		name    string
		vector  []float32
		options FinishOptions
		want    []float32
		err     error
	}{
		{"as it is", []float32{3, 4, 0, 12}, FinishOptions{}, []float32{3, 4, 0, 12}, nil},
		{"length 1", []float32{3, 4, 0, 12}, FinishOptions{Normalize: true}, []float32{3. / 13, 4. / 13, 0, 12. / 13}, nil},
		{"cut", []float32{3, 4, 0, 12}, FinishOptions{Dimensions: 2}, []float32{3, 4}, nil},
		{"cut, then length 1", []float32{3, 4, 0, 12}, FinishOptions{Dimensions: 2, Normalize: true}, []float32{0.6, 0.8}, nil},
		{"all dimensions", []float32{3, 4, 0, 12}, FinishOptions{Dimensions: 4}, []float32{3, 4, 0, 12}, nil},
		{"zero stays zero", []float32{0, 0, 0, 0}, FinishOptions{Normalize: true}, []float32{0, 0, 0, 0}, nil},
		{"squares beyond a float32", []float32{3e38, 3e38, 3e38, 3e38}, FinishOptions{Normalize: true}, []float32{0.5, 0.5, 0.5, 0.5}, nil},
		{"squares below a float32", []float32{1e-30, 0, 0, 0}, FinishOptions{Normalize: true}, []float32{1e-18, 0, 0, 0}, nil}, // 1e-12 stands in for the length
		{"too many", []float32{1, 2, 3, 4}, FinishOptions{Dimensions: 5}, nil, ErrDimensions},
		{"negative", []float32{1, 2, 3, 4}, FinishOptions{Dimensions: -1}, nil, ErrDimensions},
		{"no number", []float32{1, nan, 3, 4}, FinishOptions{}, nil, ErrNotFinite},
		{"infinite", []float32{1, inf, 3, 4}, FinishOptions{Normalize: true}, nil, ErrNotFinite},
	} {
		p := &Pipeline{width: 4, dim: 4}
		got, err := p.Finish(slices.Clone(c.vector), c.options)
		if !errors.Is(err, c.err) || len(got) != len(c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
			continue
		}
		for i := range got {
			if d := math.Abs(float64(got[i] - c.want[i])); d > 1e-7*math.Abs(float64(c.want[i])) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// TestTruncateDim holds that a repository's truncate_dim is a default, not a limit.
func TestTruncateDim(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{sentenceConfigFile: `{"truncate_dim": 16}`})
	for dimensions, want := range map[int]int{0: 16, 8: 8, 48: 48} {
		if got, err := p.Finish(make([]float32, 48), FinishOptions{Dimensions: dimensions}); err != nil || len(got) != want || cap(got) != want {
			t.Errorf("dimensions %d: %d values, %v", dimensions, len(got), err)
		}
	}
	if p.Dim() != 16 {
		t.Errorf("Dim is %d", p.Dim())
	}
	if _, err := tinyWith(t, map[string]string{sentenceConfigFile: `{"truncate_dim": 0}`}); err == nil {
		t.Error("truncate_dim 0 was accepted")
	}
}

// TestCutAndScale: the model's own cut comes after its own scaling, and before
// anybody else's.
func TestCutAndScale(t *testing.T) {
	t.Parallel()
	p := mustRead(t, map[string]string{sentenceConfigFile: `{"truncate_dim": 2}`})
	for _, c := range []struct {
		o    FinishOptions
		want []float32
	}{
		{FinishOptions{}, []float32{3, 0}},
		{FinishOptions{Normalize: true}, []float32{1, 0}},
		{FinishOptions{Normalize: true, BeforeCut: true}, []float32{0.6, 0}},
		{FinishOptions{BeforeCut: true}, []float32{3, 0}},
		{FinishOptions{Normalize: true, BeforeCut: true, Dimensions: 1}, []float32{1}},
		{FinishOptions{Normalize: true, BeforeCut: true, Dimensions: 3}, []float32{0.6, 0, 0.8}},
	} {
		vector := make([]float32, 48)
		vector[0], vector[2] = 3, 4
		got, err := p.Finish(vector, c.o)
		if err != nil || len(got) != len(c.want) {
			t.Fatalf("%+v: %v, %v", c.o, got, err)
		}
		for i, x := range got {
			if math.Abs(float64(x-c.want[i])) > 1e-6 {
				t.Errorf("%+v: %v, want %v", c.o, got, c.want)
			}
		}
	}
}

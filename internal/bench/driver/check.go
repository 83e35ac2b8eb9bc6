package driver

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/dustin/go-humanize/english"
)

// learned is the dimension of the service's vectors, as the first reply that was
// decoded had it.
type learned struct{ known atomic.Int64 } // 0: not yet

// mismatch is a reply of the right form with the wrong content.
type mismatch struct {
	outcome Outcome
	text    string
}

func (m *mismatch) Error() string { return m.text }

// check holds a reply's shape against the request and what was learned.
func (d *learned) check(s shape, texts int) error {
	dim := int(d.known.Load())
	switch {
	case s.count != texts:
		return &mismatch{WrongCount, fmt.Sprintf("%s for %s", english.Plural(s.count, "vector", ""), english.Plural(texts, "text", ""))}
	case s.ragged:
		return &mismatch{WrongDim, "vectors of several dimensions"}
	case s.dim == 0 && s.count > 0, dim != 0 && s.dim != dim:
		return &mismatch{WrongDim, fmt.Sprintf("vectors of dimension %d, earlier ones had %d", s.dim, dim)}
	}
	return nil
}

// checkVectors is check for a reply that was decoded.
func (d *learned) checkVectors(vectors [][]float32, texts int) error {
	var s shape
	for _, v := range vectors {
		if !finite(v) {
			return errNaN
		}
		s.add(len(v))
	}
	return d.check(s, texts)
}

// learn is the end of an Embed.
func (d *learned) learn(vectors [][]float32, reply Reply) ([][]float32, error) {
	if reply.Outcome != OK {
		return nil, &Failure{reply}
	}
	if len(vectors) > 0 {
		d.known.CompareAndSwap(0, int64(len(vectors[0])))
	}
	return vectors, nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if math.Float32bits(x)&exponent == exponent {
			return false
		}
	}
	return true
}

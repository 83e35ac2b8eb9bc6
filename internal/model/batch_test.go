package model_test

import (
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// TestBatchAppend holds that types stay parallel to ids wherever the first
// sequence with types comes, also in a batch that is used again.
func TestBatchAppend(t *testing.T) {
	t.Parallel()
	var b model.Batch
	for range 2 {
		b.Append([]int32{1, 2}, nil, 0, model.Output{})
		if b.Types != nil {
			t.Fatalf("types %v before any was given", b.Types)
		}
		b.Append([]int32{3, 4, 5}, []uint8{0, 1, 1}, 1, model.Output{})
		b.Append([]int32{6}, nil, 0, model.Output{Vector: []float32{0}})
		if !slices.Equal(b.IDs, []int32{1, 2, 3, 4, 5, 6}) || !slices.Equal(b.Types, []uint8{0, 0, 0, 1, 1, 0}) ||
			!slices.Equal(b.Starts, []int32{0, 2, 5, 6}) || !slices.Equal(b.Skip, []int32{0, 1, 0}) || b.Len() != 3 {
			t.Fatalf("%+v", b)
		}
		if !slices.Equal(b.Sequence(1), []int32{3, 4, 5}) {
			t.Errorf("sequence 1 is %v", b.Sequence(1))
		}
		b.Reset()
		if b.Len() != 0 || len(b.IDs) != 0 || cap(b.IDs) == 0 {
			t.Errorf("after Reset: %+v", b)
		}
	}
}

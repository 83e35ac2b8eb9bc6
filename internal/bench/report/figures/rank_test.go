package figures

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestScaleChangesNoRanking: a machine twice as fast in everything ranks alike.
func TestScaleChangesNoRanking(t *testing.T) {
	t.Parallel()
	r := reporttest.Demo(5)
	want := NewIndex(r).Rank(false, func(r Row) Figure { return r.Throughput })
	for i := range r.Cells {
		c := &r.Cells[i]
		c.Seconds /= 2
		for _, column := range [][]int64{c.Requests.Intended, c.Requests.Sent, c.Requests.Finished} {
			for j := range column {
				column[j] /= 2
			}
		}
	}
	got := NewIndex(r).Rank(false, func(r Row) Figure { return r.Throughput })
	if got.Names() != want.Names() || got.Leaders().Names() != want.Leaders().Names() {
		t.Errorf("%s and %s, before %s and %s", got.Names(), got.Leaders().Names(), want.Names(), want.Leaders().Names())
	}
	if ratio := got[0].Value / want[0].Value; ratio < 1.99 || ratio > 2.01 {
		t.Errorf("throughput grew %v times, want 2", ratio)
	}
}

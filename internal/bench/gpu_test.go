package bench

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestGPUUse: two windows, of which the second does not know whose memory it is.
func TestGPUUse(t *testing.T) {
	t.Parallel()
	var u *GPUUse
	u = u.add(nil)
	if u.total(5) != nil {
		t.Fatal("figures from no reading")
	}
	u = u.add(&record.GPUSamples{Count: 2, At: []int64{0, 1}, Utilization: []float64{10, 20}, Bytes: []int64{5, 9}, Watts: []float64{100, 200}, Joules: []float64{50, 90}, Own: true})
	u = u.add(&record.GPUSamples{Count: 2, At: []int64{2}, Utilization: []float64{60}, Bytes: []int64{7}, Watts: []float64{300}, Joules: []float64{95}})
	u = u.total(4000)
	if per := u.JoulesPer1000; per == nil || *per != 10 {
		t.Errorf("%v J per 1,000 embeddings, want 10: 40 J for 4,000", per)
	}
	u.JoulesPer1000 = nil
	if want := (GPUUse{Count: 2, MeanUtilization: 30, MaxUtilization: 60, PeakBytes: 9, MeanWatts: 200, Joules: 40, readings: 3}); *u != want {
		t.Errorf("%+v, want %+v", *u, want)
	}
}

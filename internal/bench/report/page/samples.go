package page

import (
	"math"

	"github.com/paceline/paceline/internal/bench/record"
)

// newSamples are what the machine was seen to do while a cell ran; what its records do
// not hold is left out.
func newSamples(s record.Samples) map[string]samples {
	list := map[string]samples{}
	add := func(name string, at []int64, n int, value func(i int) float64) {
		if n == 0 || n != len(at) {
			return
		}
		var seen samples
		for i, t := range at {
			seen.At, seen.Value = append(seen.At, rounded(float64(t)/1e6)), append(seen.Value, rounded(value(i)))
		}
		list[name] = seen
	}
	add("mb", s.At, len(s.RSS), func(i int) float64 { return float64(s.RSS[i]) / 1e6 })
	add("cores", s.At, len(s.CPU), func(i int) float64 { return pace(s.At, i, func(i int) float64 { return s.CPU[i] }) })
	add("faults", s.At, min(len(s.MinorFaults), len(s.MajorFaults)), func(i int) float64 {
		return pace(s.At, i, func(i int) float64 { return float64(s.MinorFaults[i] + s.MajorFaults[i]) })
	})
	if p := s.PSS; p != nil {
		add("pss", p.At, len(p.Bytes), func(i int) float64 { return float64(p.Bytes[i]) / 1e6 })
	}
	if g := s.GPU; g != nil {
		add("gpu", g.At, len(g.Utilization), func(i int) float64 { return g.Utilization[i] })
		add("gpumb", g.At, len(g.Bytes), func(i int) float64 { return float64(g.Bytes[i]) / 1e6 })
		add("watts", g.At, len(g.Watts), func(i int) float64 { return g.Watts[i] })
	}
	return list
}

// pace is by how much a counter rose a second since the sample before; not a number
// for the first.
func pace(at []int64, i int, counter func(int) float64) float64 {
	if i == 0 || at[i] <= at[i-1] {
		return math.NaN()
	}
	return (counter(i) - counter(i-1)) / (float64(at[i]-at[i-1]) / 1e6)
}

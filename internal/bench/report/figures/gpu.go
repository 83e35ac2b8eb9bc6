package figures

import (
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
)

// GPUUse is the mean share of time, in percent, in which the GPUs had a kernel at work
// while the cell ran.
func GPUUse(c *record.Cell) float64 {
	if c.Samples.GPU == nil || len(c.Samples.GPU.Utilization) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, u := range c.Samples.GPU.Utilization {
		sum += u
	}
	return sum / float64(len(c.Samples.GPU.Utilization))
}

// EnergyPerThousand is the GPUs' energy for a thousand embeddings, in joules: what was
// counted between the first and the last sample, over the embeddings that were
// finished between them.
func EnergyPerThousand(c *record.Cell) float64 {
	g := c.Samples.GPU
	if g == nil || len(g.Joules) < 2 || len(g.Joules) != len(g.At) {
		return math.NaN()
	}
	last := len(g.At) - 1
	done := finishedBetween(c, g.At[0], g.At[last])
	if done == 0 {
		return math.NaN()
	}
	return (g.Joules[last] - g.Joules[0]) / float64(done) * 1000
}

// GPUMemory is the most memory in use on the GPUs while the cell ran, in MB.
func GPUMemory(c *record.Cell) float64 {
	if c.Samples.GPU == nil || len(c.Samples.GPU.Bytes) == 0 {
		return math.NaN()
	}
	return float64(slices.Max(c.Samples.GPU.Bytes)) / Megabyte
}

// finishedBetween counts embeddings by two instants of the cell, in microseconds.
func finishedBetween(c *record.Cell, from, to int64) (done int) {
	for i, outcome := range c.Requests.Outcome {
		if f := c.Requests.Finished[i]; outcome == outcomeOK && from < f && f <= to {
			done += int(c.Requests.Texts[i])
		}
	}
	return done
}

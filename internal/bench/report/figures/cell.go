package figures

import (
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

const (
	Megabyte  = 1e6 // in bytes
	outcomeOK = "ok"
)

// A quantity is a figure of one cell; NaN when its records do not hold it.
type Quantity func(*record.Cell) float64

// Throughput is embeddings completed successfully within the timed slice, a
// second.
func Throughput(c *record.Cell) float64 {
	if c.Seconds <= 0 {
		return math.NaN()
	}
	return float64(Embeddings(c)) / c.Seconds
}

// TokensPerSecond counts the tokens of the stack's own tokenizer in the embeddings
// that throughput counts, specials included.
func TokensPerSecond(c *record.Cell) float64 {
	if len(c.Requests.Tokens) == 0 || len(c.Requests.Tokens) != len(c.Requests.Outcome) || c.Seconds <= 0 {
		return math.NaN()
	}
	return float64(completed(c, c.Requests.Tokens)) / c.Seconds
}

// Embeddings completed successfully within the timed slice.
func Embeddings(c *record.Cell) int { return completed(c, c.Requests.Texts) }

// completed adds up a column over the requests that succeeded within the timed
// slice. One that finished after the slice ended does not count.
func completed(c *record.Cell, column []int32) int {
	end := int64(math.Round(c.Seconds * 1e6))
	sum := 0
	for i, outcome := range c.Requests.Outcome {
		if outcome == outcomeOK && c.Requests.Finished[i] <= end {
			sum += int(column[i])
		}
	}
	return sum
}

// Succeeded counts the requests that got a good reply.
func Succeeded(c *record.Cell) (n int) {
	for _, outcome := range c.Requests.Outcome {
		if outcome == outcomeOK {
			n++
		}
	}
	return n
}

// Latencies of the successful requests in milliseconds, in rising order, each
// from the moment the schedule wanted it sent.
func Latencies(c *record.Cell) []float64 {
	var ms []float64
	for i, outcome := range c.Requests.Outcome {
		if outcome == outcomeOK {
			ms = append(ms, float64(c.Requests.Finished[i]-c.Requests.Intended[i])/1000)
		}
	}
	slices.Sort(ms)
	return ms
}

// LatencyPercentile is the percentile p of a cell's latencies, in milliseconds.
func LatencyPercentile(p float64) Quantity {
	return func(c *record.Cell) float64 { return stat.Percentile(Latencies(c), p) }
}

// MeanSeconds is the mean time of a successful request from its sending.
func MeanSeconds(c *record.Cell) float64 {
	sum := int64(0)
	for i, outcome := range c.Requests.Outcome {
		if outcome == outcomeOK {
			sum += c.Requests.Finished[i] - c.Requests.Sent[i]
		}
	}
	return float64(sum) / float64(Succeeded(c)) / 1e6
}

// PeakMemory is the largest resident memory of the server's process tree while
// the cell ran, in MB: what the system noted, else the largest sample.
func PeakMemory(c *record.Cell) float64 {
	switch {
	case c.PeakBytes > 0:
		return float64(c.PeakBytes) / Megabyte
	case len(c.Samples.RSS) > 0:
		return float64(slices.Max(c.Samples.RSS)) / Megabyte
	}
	return math.NaN()
}

// MemoryPerThousand is what load adds to the idle memory of the server's process
// tree, for a thousand embeddings in flight, in MB.
func MemoryPerThousand(idle int64) Quantity {
	return func(c *record.Cell) float64 {
		if idle <= 0 || inFlight(c) == 0 {
			return math.NaN()
		}
		return (PeakMemory(c) - float64(idle)/Megabyte) / float64(inFlight(c)) * 1000
	}
}

// inFlight is how many embeddings clients wait for at a time.
func inFlight(c *record.Cell) int { return c.BatchSize * c.Concurrency }

// PerCPUSecond is embeddings a CPU-second of the server's process tree: those
// finished between the first and the last sample, over the CPU time between
// them.
func PerCPUSecond(c *record.Cell) float64 {
	s := c.Samples
	if len(s.CPU) < 2 {
		return math.NaN()
	}
	from, to := s.At[0], s.At[len(s.At)-1]
	done := finishedBetween(c, from, to)
	spent := s.CPU[len(s.CPU)-1] - s.CPU[0]
	if spent <= 0 {
		return math.NaN()
	}
	return float64(done) / spent
}

// LatencySpread is how far the middle 80 % of a cell's latencies lie apart, in
// milliseconds: small is steady.
func LatencySpread(c *record.Cell) float64 {
	ms := Latencies(c)
	return stat.Percentile(ms, 0.9) - stat.Percentile(ms, 0.1)
}

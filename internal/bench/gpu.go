package bench

import (
	"errors"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

// GPUUse is what the GPUs of the server's machine did in a span of time, all of
// them together.
type GPUUse struct {
	Count           int      `json:"count"`
	MeanUtilization float64  `json:"mean_utilization_percent"` // share of time with a kernel at work, over GPUs and readings
	MaxUtilization  float64  `json:"max_utilization_percent"`
	PeakBytes       int64    `json:"peak_bytes"` // of memory, summed over GPUs
	Own             bool     `json:"own_memory"` // peak_bytes is of the server alone, not of all processes
	MeanWatts       float64  `json:"mean_watts"` // summed over GPUs
	Joules          float64  `json:"joules"`
	JoulesPer1000   *float64 `json:"joules_per_1000_embeddings"`

	readings int
}

// errNoGPUSource is a service of which nobody tells.
var errNoGPUSource = errors.New("nobody tells of the service's machine: it is not this one, and no agent runs on it")

// openGPUs prepares their readings and says once, in the manifest and to the
// watcher, where there are none. Its result ends them.
func (b *bench) openGPUs() (end func()) {
	gpus, err := sample.OpenGPUs()
	if err != nil {
		b.Manifest.Machine.GPUAbsent = err.Error()
		b.Watcher.Stage(err.Error())
		return func() {}
	}
	b.gpus = gpus
	b.Manifest.Machine.GPU, b.Manifest.Machine.GPUReader = strings.Join(gpus.Names, ", "), gpus.Reader
	return gpus.Close
}

// add takes a window's samples into account; nil stands for none so far.
func (u *GPUUse) add(s *record.GPUSamples) *GPUUse {
	if s == nil || len(s.At) == 0 {
		return u
	}
	if u == nil {
		u = &GPUUse{Own: true}
	}
	u.Count, u.Own = s.Count, u.Own && s.Own
	for i := range s.At {
		u.MeanUtilization += s.Utilization[i] // sums, until total
		u.MeanWatts += s.Watts[i]
		u.MaxUtilization = max(u.MaxUtilization, s.Utilization[i])
		u.PeakBytes = max(u.PeakBytes, s.Bytes[i])
	}
	u.readings += len(s.At)
	u.Joules += spent(s.Joules)
	return u
}

// total turns the sums into means.
func (u *GPUUse) total(embeddings int) *GPUUse {
	if u == nil {
		return nil
	}
	u.MeanUtilization /= float64(u.readings)
	u.MeanWatts /= float64(u.readings)
	if embeddings > 0 {
		u.JoulesPer1000 = pointer(u.Joules / float64(embeddings) * 1000)
	}
	return u
}

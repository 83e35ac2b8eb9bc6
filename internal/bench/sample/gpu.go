package sample

import (
	"errors"
	"fmt"
	"sync"
)

// ErrNoGPU says why there are no readings.
var ErrNoGPU = errors.New("no GPU readings")

// GPUs reads NVIDIA's GPUs of this machine: through NVML where this program was
// built to open it (build tag nvml), else through nvidia-smi, which every driver
// brings. Its methods may be called concurrently; a nil one has no readings.
type GPUs struct {
	Names  []string // of the GPUs, by index
	Reader string   // nvml, nvidia-smi

	mu     sync.Mutex
	device gpuReader
}

// gpuReader is one way to the GPUs.
type gpuReader interface {
	// read gives what all GPUs do now, with the memory of those processes where it
	// can tell.
	read(pids []int) (GPU, error)
	close()
}

// OpenGPUs finds the GPUs. It fails with ErrNoGPU where there is none to read.
func OpenGPUs() (*GPUs, error) {
	library, err := openNVML()
	if err == nil {
		var g *GPUs
		if g, err = nvmlGPUs(library); err == nil {
			return g, nil
		}
	}
	g, smiErr := smiGPUs()
	if smiErr != nil {
		return nil, fmt.Errorf("%w: %w; %w", ErrNoGPU, err, smiErr)
	}
	return g, nil
}

// read is nil where there is nothing to read, or a reading failed.
func (g *GPUs) read(pids []int) *GPU {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	reading, err := g.device.read(pids)
	if err != nil {
		return nil
	}
	return &reading
}

// Close ends the readings; it may be nil.
func (g *GPUs) Close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.device.close()
}

package sample

import (
	"strings"
	"testing"
)

func TestGPUSums(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines string
		want  GPUs
	}{
		"none":     {"", GPUs{}},
		"two":      {"0, 50, 1000, 100.0\n1, 100, 2000, 200.0\n0, 70, 1500, 120.0\n1, 100, 1800, 220.0\n", GPUs{2, 80, 100, 3500 << 20, 320}},
		"unknown":  {"0, 30, [N/A], [N/A]\n", GPUs{1, 30, 30, 0, 0}},
		"no lines": {"No devices were found\n", GPUs{}},
	} {
		var s gpuSums
		s.read(strings.NewReader(c.lines))
		if got := s.total(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestGPUWatch ends what it starts, where there is a GPU, and says so where not.
func TestGPUWatch(t *testing.T) {
	t.Parallel()
	w, err := StartGPU()
	if err != nil {
		t.Skipf("no GPU to read: %v", err)
	}
	w.Stop()
}

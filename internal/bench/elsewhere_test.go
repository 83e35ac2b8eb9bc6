package bench

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestBusyClientElsewhere: a client that takes more CPU than the server is in its way
// on the same machine only.
func TestBusyClientElsewhere(t *testing.T) {
	t.Parallel()
	for from, busy := range map[string]bool{record.FromProcess: true, record.FromAgent: false, record.FromMetrics: false} {
		cell := &record.Cell{Seconds: 10, Samples: record.Samples{From: from, CPU: []float64{0, 1}, ClientCPU: []float64{0, 2}}}
		if why := busyClient(cell, 8); (why != "") != busy {
			t.Errorf("%s: %q", from, why)
		}
		cell.Samples.ClientCPU[1] = 79
		if busyClient(cell, 8) == "" {
			t.Errorf("%s: a client that used 99 %% of its cores is not doubted", from)
		}
	}
}

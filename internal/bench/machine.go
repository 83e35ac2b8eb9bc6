package bench

import (
	"fmt"
	"runtime"

	"github.com/paceline/paceline/internal/bench/record"
)

// machineTime adds up what the machine's time went to beside the client and the server.
// A client that waits for a core while another program has it can set the pace and yet
// use little: its own CPU time does not show that.
type machineTime struct{ stolen, others, wanted float64 }

func (m *machineTime) add(cell *record.Cell) {
	m.stolen += spent(cell.Samples.Steal)
	m.others += others(cell.Samples)
	m.wanted += cell.Seconds * float64(runtime.NumCPU())
}

// others is the CPU time of the programs that are neither client nor server, where both
// and the machine's are known; it may come out a hair below zero.
func others(s record.Samples) float64 {
	if s.From != record.FromProcess || spent(s.MachineCPU) == 0 || len(s.CPU) == 0 {
		return 0
	}
	return spent(s.MachineCPU) - spent(s.CPU) - spent(s.ClientCPU)
}

// doubtMachine warns of a noisy neighbour, outside of the machine and in it.
func (b *bench) doubtMachine() {
	if m := b.machine; m.stolen > mostSteal*m.wanted {
		b.warn(record.Warning{
			Code:   "steal",
			Text:   fmt.Sprintf("The host gave %.0f %% of this machine's time to others while the stacks were measured.", 100*m.stolen/m.wanted),
			Advice: "Compare embeddings per CPU-second rather than throughput, or repeat the run on a quiet machine.",
		})
	}
	if m := b.machine; m.others > mostOthers*m.wanted {
		b.warn(record.Warning{
			Code:   "others",
			Text:   fmt.Sprintf("Other programs took %.0f %% of this machine's time while the stacks were measured.", 100*m.others/m.wanted),
			Advice: "See what else runs here, end it, and repeat the run.",
		})
	}
}

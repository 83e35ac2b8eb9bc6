package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/engine/cpu"
)

// engineLengths are the tokens of a sequence that an engine is profiled with.
var engineLengths = []int{12, 32, 68, 128, 256}

// engineProfile is what `paceline bench --engine` prints as JSON.
type engineProfile struct {
	Model    string        `json:"model"`
	Revision string        `json:"revision,omitempty"`
	Level    string        `json:"cpu_level"`
	DType    string        `json:"dtype"`
	Profiles []cpu.Profile `json:"profiles"`
}

// profileEngine tells, for the engine alone and one of its workers, where the time of
// a pass goes, and what share of the core's measured peak each product reaches.
func (c *benchCommand) profileEngine(ctx context.Context, app *kong.Kong) error {
	m, err := assemble.Open(ctx, openStore(), c.Model, assemble.Options{DType: c.DType, Threads: 1})
	if err != nil {
		return err
	}
	defer m.Close()
	engine, ok := m.Engine.(*cpu.Engine)
	if !ok {
		return fmt.Errorf("--engine profiles the engine of the processor; %s runs on %s", c.Model, m.Device)
	}
	found := engineProfile{Model: m.Name, Revision: m.Revision, Level: m.CPULevel, DType: m.DType}
	for _, tokens := range engineLengths {
		if tokens > m.Spec.MaxPositions {
			continue
		}
		fmt.Fprintf(os.Stderr, "sequences of %d tokens\n", tokens)
		p, err := engine.Profile(ctx, tokens, c.sliceTime())
		if err != nil {
			return err
		}
		found.Profiles = append(found.Profiles, p)
	}
	if c.JSON {
		return printJSON(app.Stdout, found)
	}
	return found.write(app.Stdout)
}

// sliceTime is how long one length is measured.
func (c *benchCommand) sliceTime() time.Duration {
	switch {
	case c.Quick:
		return 300 * time.Millisecond
	case c.Full:
		return 10 * time.Second
	}
	return 2 * time.Second
}

// write prints one table a length.
func (e *engineProfile) write(w io.Writer) error {
	fmt.Fprintf(w, "%s, %s at CPU level %s, one thread; rates are per second of its processor time\n", e.Model, e.DType, e.Level)
	for i := range e.Profiles {
		p := &e.Profiles[i]
		fmt.Fprintf(w, "\n%d x %d tokens: %.1f embeddings/s; peak of this core's float32: %.1f GFLOP/s\n",
			p.Sequences, p.Tokens, float64(p.Sequences)/p.Seconds, p.Peak/1e9)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "part\tshare of time\tproduct\tGFLOP/s\tof the peak")
		for _, part := range p.Parts {
			fmt.Fprintf(table, "%s\t%.1f %%\t%s\t%s\n", part.Part, 100*part.Seconds/p.Seconds, orDash(part.Shape), rateOf(part, p.Peak))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// rateOf is a part's rate and its share of the peak, in two columns.
func rateOf(p cpu.PartProfile, peak float64) string {
	if p.Operations == 0 || p.Seconds == 0 {
		return "-\t-"
	}
	rate := p.Operations / p.Seconds
	return fmt.Sprintf("%.1f\t%.0f %%", rate/1e9, 100*rate/peak)
}

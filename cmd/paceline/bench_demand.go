package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/goodput"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/shape"
)

// demandFlags are the flags of bench for loads that come on a schedule, and for
// MLPerf's scenarios.
type demandFlags struct {
	Rate       []float64 `placeholder:"R,R" help:"Also hold these arrival rates, requests a second: latency by rate, from the time that the schedule meant."`
	Arrivals   string    `default:"poisson" placeholder:"HOW" help:"Schedule of --rate and --slo: poisson, constant, bursts, bursts:N (N at once in the mean) or trace:FILE, which is held at its own rate too (${default})."`
	Mix        string    `placeholder:"SHARES" help:"Shapes of those requests instead of single texts: batch=1:0.7,8:0.2,32:0.1,chars=50:1,500:1, values with their weights."`
	SLO        string    `name:"slo" placeholder:"BOUNDS" help:"Also search, for minutes a stack, the highest arrival rate that keeps p99=50ms, or several bounds: p50=10ms,p99=50ms,errors<0.1%,chars<=500."`
	Scenario   []string  `placeholder:"A,B" help:"Also load as MLPerf does: single-stream, multi-stream, offline, or server, which is --slo (p99=130ms)."`
	SkipSweeps bool      `help:"Measure nothing but what --rate, --slo and --scenario ask for."`
}

// serverSLO is MLPerf's bound for BERT in its Server scenario.
const serverSLO = "p99=130ms"

// mostHeld bounds --rate, requests a second.
const mostHeld = 1e6

// demand reads the flags.
func (f *demandFlags) demand() (bench.Demand, error) {
	d := bench.Demand{BatchSize: 1, Rates: f.Rate}
	var err error
	if d.Arrivals, err = load.ParseArrivals(f.Arrivals); err != nil {
		return d, fmt.Errorf("--arrivals: %w", err)
	}
	if f.Mix != "" {
		if d.Mix, err = shape.Parse(f.Mix); err != nil {
			return d, fmt.Errorf("--mix: %w", err)
		}
	}
	if err := f.scenarios(&d); err != nil {
		return d, fmt.Errorf("--scenario: %w", err)
	}
	if f.SLO != "" {
		slo, err := goodput.Parse(f.SLO)
		if err != nil {
			return d, fmt.Errorf("--slo: %w", err)
		}
		d.SLO = &slo
	}
	if trace := d.Arrivals.Trace(); trace != nil && len(d.Rates) == 0 && d.SLO == nil {
		d.Rates = []float64{trace.Rate()}
	}
	return d, f.check(&d)
}

// scenarios takes those that are named; server is a search.
func (f *demandFlags) scenarios(d *bench.Demand) error {
	for _, name := range f.Scenario {
		if name == bench.Server {
			if d.Arrivals != load.PoissonArrivals || f.Mix != "" {
				return errors.New("server has Poisson arrivals of single texts: leave --arrivals and --mix out")
			}
			if f.SLO == "" {
				f.SLO = serverSLO
			}
			continue
		}
		scenario, err := bench.ParseScenario(name)
		if err != nil {
			return err
		}
		d.Scenarios = append(d.Scenarios, scenario)
	}
	return nil
}

func (f *demandFlags) check(d *bench.Demand) error {
	for _, rate := range d.Rates {
		if !(rate > 0 && rate <= mostHeld) || math.IsNaN(rate) {
			return fmt.Errorf("--rate: %g is not between 0 and %g", rate, float64(mostHeld))
		}
	}
	slices.Sort(d.Rates)
	d.Rates = slices.Compact(d.Rates)
	onSchedule := len(d.Rates) > 0 || d.SLO != nil
	switch {
	case !onSchedule && (f.Mix != "" || d.Arrivals != load.PoissonArrivals):
		return errors.New("--arrivals and --mix need a --rate or an --slo")
	case !onSchedule && len(d.Scenarios) == 0 && f.SkipSweeps:
		return errors.New("--skip-sweeps leaves nothing to measure: add --rate, --slo or --scenario")
	}
	return nil
}

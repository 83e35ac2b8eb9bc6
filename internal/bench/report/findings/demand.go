package findings

import (
	"fmt"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// Demand says what each stack did with the loads that were asked for beside the
// sweeps: the highest rate that keeps an objective, latency at given arrival rates,
// MLPerf's scenarios. Empty when none were.
func Demand(x *figures.Index) []Finding {
	var list []Finding
	for _, s := range x.Comparable() {
		if s.Goodput != nil {
			list = append(list, goodputFinding(s))
		}
	}
	for _, s := range x.Comparable() {
		if f := rateFinding(x, s.Name); len(f.Evidence) > 0 {
			list = append(list, f)
		}
	}
	for _, s := range x.Comparable() {
		if f := scenarioFinding(x, s.Name); len(f.Evidence) > 0 {
			list = append(list, f)
		}
	}
	return list
}

func goodputFinding(s *record.Stack) Finding {
	g := s.Goodput
	f := Finding{Topic: "goodput of " + s.Name}
	if !g.Confirmed() {
		f.Text = fmt.Sprintf("No rate was confirmed to keep %s (%s arrivals, %s): %s.", g.SLO, g.Arrivals, g.Shape, g.Ended)
	} else {
		f.Text = fmt.Sprintf("%s requests/s keep %s (%s arrivals, %s), %s.", format.Number(g.Rate), g.SLO, g.Arrivals, g.Shape, sureness(g))
	}
	for _, t := range g.Tries {
		f.Evidence = append(f.Evidence, Evidence{Label: format.Number(t.Rate) + " requests/s", Figure: outcome(t)})
	}
	return f
}

// sureness says how well a goodput is known.
func sureness(g *record.Goodput) string {
	last := g.Tries[len(g.Tries)-1]
	text := fmt.Sprintf("shown with a confidence of %s by a fresh run of %d requests", share(g.Confidence), last.Requests)
	if g.Failing > 0 {
		text += fmt.Sprintf("; %s requests/s do not", format.Number(g.Failing))
	}
	return text
}

// share shows a confidence without rounding it up to certainty.
func share(c float64) string {
	if c > 0.9999 {
		return "> 0.9999"
	}
	return fmt.Sprintf("%.4f", c)
}

func outcome(t record.Try) string {
	text := string(t.Verdict)
	if t.Confirming {
		text += " (confirming)"
	}
	for _, b := range t.Bounds {
		if b.Limit > 0 && b.Bound[0] == 'p' {
			text += fmt.Sprintf(", %s: %s ms", b.Bound, format.Number(1000*b.Value))
		}
	}
	text += fmt.Sprintf(", %d requests, %d failed, %d sent late", t.Requests, t.Failures, t.Late)
	if t.Reason != "" {
		text += "; " + t.Reason
	}
	return text
}

// wantedAt is the percentile that latency by rate is given at.
const wantedAt = 0.99

func rateFinding(x *figures.Index, stack string) Finding {
	f := Finding{Topic: "latency by rate of " + stack}
	for _, at := range x.Points(stack, record.SweepRate) {
		p := x.Percentile(stack, at, wantedAt)
		f.Evidence = append(f.Evidence, Evidence{Label: format.Number(at.Rate) + " requests/s", Figure: percentileText(p)})
	}
	f.Text = joined(f.Evidence)
	return f
}

// scenarioPercentiles are MLPerf's; offline's figure is throughput.
var scenarioPercentiles = map[string]float64{"single-stream": 0.90, "multi-stream": 0.99}

func scenarioFinding(x *figures.Index, stack string) Finding {
	f := Finding{Topic: "MLPerf scenarios of " + stack}
	for _, at := range x.Points(stack, record.SweepScenario) {
		e := Evidence{Label: at.Scenario}
		if wanted, latency := scenarioPercentiles[at.Scenario]; latency {
			e.Figure = percentileText(x.Percentile(stack, at, wanted))
		} else {
			e.Figure = figureText(x.Figure(stack, at, figures.Throughput), "embeddings/s")
		}
		f.Evidence = append(f.Evidence, e)
	}
	f.Text = joined(f.Evidence)
	return f
}

func percentileText(p figures.Percentile) string {
	if !p.Known() {
		return p.Note
	}
	text := figureText(p.Figure, "ms "+p.Name())
	if p.P < p.Wanted {
		text += " (" + p.Note + ")"
	}
	return text
}

func figureText(f figures.Figure, unit string) string {
	text := format.WithInterval(f.Estimate) + " " + unit
	if f.Doubt != "" {
		text += ", to be doubted: " + f.Doubt
	}
	return text
}

func joined(list []Evidence) string {
	text := ""
	for i, e := range list {
		if i > 0 {
			text += "; "
		}
		text += e.Label + ": " + e.Figure
	}
	return text + "."
}

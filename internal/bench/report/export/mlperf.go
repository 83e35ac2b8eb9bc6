package export

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// MLPerfFile sums each stack's scenarios up in the words and the layout of MLPerf
// LoadGen's mlperf_log_summary.txt, for eyes and scripts that know it.
const MLPerfFile = "mlperf_summary.txt"

const mlperfRule = "================================================\n"

// mlperfScenario is how a summary calls a scenario and what it is judged by.
type mlperfScenario struct {
	name       string
	percentile float64 // that certifies it, 0 for a throughput
	least      int     // samples of a repeat
	result     string  // the line of its result
}

var mlperfScenarios = map[string]mlperfScenario{
	"single-stream": {"SingleStream", 0.90, 0, "90th percentile latency (ns)"},
	"multi-stream":  {"MultiStream", 0.99, 0, "99th percentile latency (ns)"},
	"server":        {"Server", 0.99, 0, "Completed samples per second"},
	"offline":       {"Offline", 0, record.OfflineSamples, "Samples per second"},
}

// WriteMLPerf writes a summary a stack and scenario. A search for goodput is the
// scenario Server, of which the confirming run counts. A run without scenarios has its
// offline sweep in it, which is the same load.
func WriteMLPerf(x *figures.Index, w io.Writer) error {
	var b strings.Builder
	b.WriteString("These are not MLPerf results: the scenarios and the layout are MLPerf's, the rules are in docs/measurement.md.\n\n")
	for i := range x.Results.Stacks {
		s := &x.Results.Stacks[i]
		for _, p := range mlperfPoints(x, s.Name) {
			mlperfBlock(&b, x, s, p, x.Cells[s.Name][p])
		}
		if s.Goodput.Confirmed() {
			p, cells := confirming(x, s)
			mlperfBlock(&b, x, s, p, cells)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func mlperfPoints(x *figures.Index, stack string) []figures.Point {
	if points := x.Points(stack, record.SweepScenario); len(points) > 0 {
		return points
	}
	return x.Points(stack, record.SweepOffline)
}

// confirming are the cells of the fresh run that confirmed a stack's goodput.
func confirming(x *figures.Index, s *record.Stack) (p figures.Point, cells []*record.Cell) {
	for _, try := range s.Goodput.Tries {
		if !try.Confirming || try.Rate != s.Goodput.Rate {
			continue
		}
		for _, at := range x.Points(s.Name, record.SweepGoodput) {
			for _, c := range x.Cells[s.Name][at] {
				if c.Rate == try.Rate && c.Repeat == try.Repeat {
					p, cells = at, append(cells, c)
				}
			}
		}
	}
	p.Scenario = "server"
	return p, cells
}

// mlperfBlock is one summary: of the valid repeats together, of all of them where
// none is valid.
func mlperfBlock(b *strings.Builder, x *figures.Index, s *record.Stack, p figures.Point, cells []*record.Cell) {
	valid, reason := figures.Sift(cells)
	if len(valid) > 0 {
		cells, reason = valid, ""
	}
	scenario := mlperfScenarios[cmp.Or(p.Scenario, "offline")]
	ns := nanoseconds(cells)
	certified := scenario.percentile == 0 || len(ns) >= stat.MinSamples(scenario.percentile)
	short := scenario.tooFew(cells)
	passed := reason == "" && short == "" && certified && figures.StatusOf(s) == figures.Measured
	line := func(name string, value any) { fmt.Fprintf(b, "%-31s : %v\n", name, value) }

	b.WriteString(mlperfRule + "MLPerf-like Results Summary\n" + mlperfRule)
	line("SUT name", s.Name)
	line("Scenario", cmp.Or(scenario.name, p.Scenario))
	line("Mode", "PerformanceOnly")
	line(scenario.result, mlperfResult(cells, scenario, ns))
	line("Result is", map[bool]string{true: "VALID", false: "INVALID"}[passed])
	line("  Performance constraints satisfied", yes(reason == ""))
	line("  Min queries satisfied", yes(short == ""))
	line("  Early stopping satisfied", yes(certified))
	for _, doubt := range []string{reason, short, s.Error, s.Agreement.Reason} {
		if doubt != "" {
			line("  Because", strings.Join(strings.Fields(doubt), " "))
		}
	}
	b.WriteString("\n" + mlperfRule + "Additional Stats\n" + mlperfRule)
	if len(ns) > 0 {
		line("Min latency (ns)", int64(ns[0]))
		line("Max latency (ns)", int64(ns[len(ns)-1]))
		line("Mean latency (ns)", int64(mean(ns)))
	}
	for _, percentile := range []float64{0.5, 0.9, 0.95, 0.97, 0.99, 0.999} {
		if len(ns) >= stat.MinSamples(percentile) {
			line(fmt.Sprintf("%.2f percentile latency (ns)", 100*percentile), int64(stat.Percentile(ns, percentile)))
		}
	}
	b.WriteString("\n" + mlperfRule + "Test Parameters Used\n" + mlperfRule)
	line("samples_per_query", p.BatchSize)
	line("target_qps", p.Rate)
	line("max_async_queries", p.Concurrency)
	line("min_duration (ms)", 0)
	line("query_count", len(ns))
	line("qsl_rng_seed", x.Results.Manifest.Seed)
	b.WriteString("\n")
}

// tooFew says which repeat has fewer samples than MLPerf asks for; empty: none.
func (m mlperfScenario) tooFew(cells []*record.Cell) string {
	for _, c := range cells {
		if n := figures.Embeddings(c); n < m.least {
			return fmt.Sprintf("a repeat had %s, MLPerf's least is %d: take --full", english.Plural(n, "sample", ""), m.least)
		}
	}
	return ""
}

// mlperfResult is the figure that the scenario is about.
func mlperfResult(cells []*record.Cell, scenario mlperfScenario, ns []float64) string {
	var throughputs []float64
	for _, c := range cells {
		throughputs = append(throughputs, figures.Throughput(c))
	}
	value := stat.Median(throughputs).Value
	if strings.Contains(scenario.result, "latency") {
		value = stat.Percentile(ns, scenario.percentile)
		if !math.IsNaN(value) {
			return fmt.Sprintf("%.0f", value)
		}
	}
	if math.IsNaN(value) {
		return "none"
	}
	return fmt.Sprintf("%.2f", value)
}

// nanoseconds are the latencies of all successful requests, in rising order.
func nanoseconds(cells []*record.Cell) []float64 {
	var list []float64
	for _, c := range cells {
		for _, ms := range figures.Latencies(c) {
			list = append(list, ms*1e6)
		}
	}
	slices.Sort(list)
	return list
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func yes(b bool) string {
	if b {
		return "Yes"
	}
	return "NO"
}

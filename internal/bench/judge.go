package bench

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
)

// Thresholds beyond which a slice is doubted.
const (
	mostErrors     = 0.01 // of the requests
	mostClientCPU  = 0.8  // of all cores: the client had no more to give
	mostSteal      = 0.05 // of all cores' time
	mostOthers     = 0.05 // the same
	trendWindows   = 20
	trendRequests  = 64  // below which a trend cannot be told from chance
	trendSeconds   = 3.0 // below which a slice is too short to drift
	cpuResolution  = 0.1 // seconds below which CPU times are not compared
	refusalsQuoted = 200 // characters of a service's message
)

// judge decides whether a slice may be believed, remembers what the stack turned
// down, and counts what the machine did beside.
func (b *bench) judge(s *stack, cell *record.Cell, p Point, said *complaints) {
	failed := failures(cell)
	if n := len(cell.Requests.Outcome); failed == 0 && n > 0 && cell.BatchSize >= s.largest {
		s.largest, s.took = cell.BatchSize, cell.Seconds*float64(cell.Concurrency)/float64(n)
	}
	switch n := len(cell.Requests.Outcome); {
	case n == 0 || failed == n:
		s.refused[p] = true
		cell.Invalid = "No request succeeded: " + said.String() + "."
	case float64(failed) > mostErrors*float64(n):
		cell.Invalid = fmt.Sprintf("%d of %s failed: %s. Lower the load, or mend the service.", failed, english.Plural(n, "request", ""), said)
	case cell.Invalid != "": // it was cut off
	default:
		cell.Invalid = busyClient(cell, runtime.GOMAXPROCS(0))
	}
	if cell.Invalid == "" {
		cell.Invalid = drift(cell)
	}
	b.machine.add(cell)
	if cell.Invalid != "" {
		b.doubtOnce(s, p, cell.Invalid)
	}
}

func failures(cell *record.Cell) (n int) {
	for _, outcome := range cell.Requests.Outcome {
		if outcome != string(driver.OK) {
			n++
		}
	}
	return n
}

// String lists what the service said, by kind.
func (c *complaints) String() string {
	var list []string
	for _, outcome := range slices.Sorted(maps.Keys(c.first)) {
		text := string(outcome)
		if detail := c.first[outcome]; detail != "" {
			text += " (" + detail[:min(len(detail), refusalsQuoted)] + ")"
		}
		list = append(list, strings.ToValidUTF8(text, ""))
	}
	if len(list) == 0 {
		return "no reply in time"
	}
	return strings.Join(list, "; ")
}

// busyClient says why the client, not the service, may have set the pace.
func busyClient(cell *record.Cell, cores int) string {
	client, server := spent(cell.Samples.ClientCPU), spent(cell.Samples.CPU)
	switch {
	case len(cell.Samples.CPU) > 0 && !cell.Samples.Elsewhere() && client > cpuResolution && client > server:
		return fmt.Sprintf("The client used more CPU (%.2f s) than the server (%.2f s). Run the client on another machine.", client, server)
	case client > mostClientCPU*float64(cores)*cell.Seconds && client > cpuResolution:
		return fmt.Sprintf("The client used %.0f %% of the cores. Run it on another machine.", 100*client/(float64(cores)*cell.Seconds))
	}
	return ""
}

func spent(counter []float64) float64 {
	if len(counter) == 0 {
		return 0
	}
	return counter[len(counter)-1] - counter[0]
}

// doubtOnce warns of a doubtful cell when its first repeat shows it.
func (b *bench) doubtOnce(s *stack, p Point, why string) {
	for _, w := range b.warnings {
		if w.Stack == s.Name && w.Code == "invalid" && strings.HasPrefix(w.Text, p.String()+": ") {
			return
		}
	}
	b.warn(record.Warning{Stack: s.Name, Code: "invalid", Text: p.String() + ": " + why, Advice: "The slice is left out of the figures, or marked where there is no other."})
}

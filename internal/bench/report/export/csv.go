// Package export writes records in the forms that other programs read.
package export

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// CellsFile has a line for every slice, for a spreadsheet: the step between the
// raw records and the medians of the table.
const CellsFile = "cells.csv"

var cellColumns = []string{
	"cell", "stack", "sweep", "scenario", "batch_size", "concurrency", "text_length", "rate", "arrivals", "mix", "repeat", "started", "seconds",
	"requests", "succeeded", "late_sends", "embeddings", "embeddings_per_second", "tokens_per_second",
	"p50_ms", "p90_ms", "p95_ms", "p99_ms", "server_cpu_seconds", "client_cpu_seconds", "peak_mb", "invalid",
}

// WriteCells writes a line a cell, in the order of results.json.
func WriteCells(x *figures.Index, w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(cellColumns); err != nil {
		return err
	}
	for i := range x.Results.Cells {
		if err := out.Write(cellLine(i, &x.Results.Cells[i])); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cellLine leaves a field empty where the cell does not hold it, or where its
// requests are too few for the percentile.
func cellLine(place int, c *record.Cell) []string {
	line := []string{
		strconv.Itoa(place), c.Stack, string(c.Sweep), c.Scenario, strconv.Itoa(c.BatchSize), strconv.Itoa(c.Concurrency), strconv.Itoa(c.TextLength),
		field(c.Rate), c.Arrivals, c.Mix,
		strconv.Itoa(c.Repeat), c.Started.UTC().Format(time.RFC3339Nano), field(c.Seconds),
		strconv.Itoa(len(c.Requests.Outcome)), strconv.Itoa(figures.Succeeded(c)), strconv.Itoa(c.Late), strconv.Itoa(figures.Embeddings(c)), field(figures.Throughput(c)), field(figures.TokensPerSecond(c)),
	}
	ms := figures.Latencies(c)
	for _, p := range []float64{0.5, 0.9, 0.95, 0.99} {
		value := math.NaN()
		if len(ms) >= stat.MinSamples(p) {
			value = stat.Percentile(ms, p)
		}
		line = append(line, field(value))
	}
	return append(line, field(spent(c.Samples.CPU)), field(spent(c.Samples.ClientCPU)), field(figures.PeakMemory(c)), c.Invalid)
}

func field(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// spent is by how much a counter rose.
func spent(counter []float64) float64 {
	if len(counter) < 2 {
		return math.NaN()
	}
	return counter[len(counter)-1] - counter[0]
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize/english"
	"golang.org/x/term"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report"
	"github.com/paceline/paceline/internal/bench/report/compare"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// reportCommand renders a saved run again, compares two, or watches one.
type reportCommand struct {
	First         string   `arg:"" name:"run" help:"Directory of a run (or its results.json), or the raw records of a stress test (….jsonl.gz)."`
	Against       string   `arg:"" name:"against" optional:"" help:"Directory of a later run: says what changed from the first."`
	JSON          bool     `xor:"form" help:"Print JSON instead of a table."`
	Markdown      bool     `xor:"form" help:"Print Markdown instead of a table, for an issue."`
	FailIf        []string `placeholder:"LIMIT" sep:"none" help:"With two runs: exit 1 if a change that is shown (all of its interval beyond 5 %) goes beyond the limit, like 'throughput<-5%' or 'p95>10%'; exit 2 if no figure could be held against it, for want of repeats for example. Of throughput, p50, p95, p99, memory, efficiency (embeddings a CPU-second) and errors (percentage points). Repeatable."`
	JUnit         string   `name:"junit" placeholder:"FILE" help:"With two runs: write the comparison as a JUnit report, for CI systems."`
	GitHubSummary bool     `name:"github-summary" help:"Append the Markdown to the summary of the GitHub job ($$GITHUB_STEP_SUMMARY)."`
	Serve         bool     `help:"Show the run in a browser, one that is under way as it grows, until interrupted."`
	Listen        string   `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where --serve listens (${default}: any free port)."`
}

// Run is called by kong.
func (c *reportCommand) Run(ctx context.Context) error {
	switch {
	case c.Against == "" && (len(c.FailIf) > 0 || c.JUnit != ""):
		return fmt.Errorf("%w: --fail-if and --junit need two runs", errUsage)
	case c.Against != "" && c.Serve:
		return fmt.Errorf("%w: --serve shows one run", errUsage)
	case c.GitHubSummary && os.Getenv("GITHUB_STEP_SUMMARY") == "":
		return fmt.Errorf("%w: --github-summary: GITHUB_STEP_SUMMARY is not set, so this is no GitHub job", errUsage)
	case c.Serve:
		return c.serve(ctx)
	case c.Against != "":
		return c.compare()
	}
	return c.render()
}

// readRun reads a run's records; of one that was killed, those that it left behind.
func readRun(path string) (*record.Results, error) {
	results, err := report.Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return results, err
	}
	recovered, lost := bench.Recover(path)
	switch {
	case errors.Is(lost, fs.ErrNotExist):
		return nil, err
	case lost != nil:
		return nil, lost
	}
	fmt.Fprintf(os.Stderr, "%s: there is no %s, the run was killed; it left %s in %s\n", path, report.ResultsFile, english.Plural(len(recovered.Cells), "slice", ""), bench.SpoolFile)
	return recovered, nil
}

// render derives all files again and prints the table.
func (c *reportCommand) render() error {
	results, err := readRun(c.First)
	if err != nil {
		return err
	}
	dir := report.Dir(c.First)
	if err := report.Render(dir, results); err != nil {
		return err
	}
	if err := c.print(report.Summarize(results)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "report: %s\n", filepath.Join(dir, report.PageFile))
	return nil
}

func (c *reportCommand) compare() error {
	limits, err := c.limits()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	first, err := readRun(c.First)
	if err != nil {
		return err
	}
	second, err := readRun(c.Against)
	if err != nil {
		return err
	}
	comparison := compare.Runs(first, second)
	if c.JUnit != "" {
		if err := report.WriteFile(c.JUnit, func(w io.Writer) error { return comparison.WriteJUnit(w, limits) }); err != nil {
			return err
		}
	}
	if err := c.print(comparison); err != nil {
		return err
	}
	if n := comparison.Unchecked(limits); n > 0 {
		fmt.Fprintf(os.Stderr, "%s could not be held against the limits: not valid in one of the runs, or of too few repeats\n", english.Plural(n, "figure", ""))
	}
	if err := broken(limits, comparison); err != nil {
		return err
	}
	return idle(limits, comparison)
}

func (c *reportCommand) limits() ([]compare.Limit, error) {
	var limits []compare.Limit
	for _, text := range c.FailIf {
		limit, err := compare.ParseLimit(text)
		if err != nil {
			return nil, err
		}
		limits = append(limits, limit)
	}
	return limits, nil
}

// printable is a summary or a comparison.
type printable interface {
	WriteText(io.Writer, table.Terminal) error
	WriteMarkdown(io.Writer) error
}

func (c *reportCommand) print(p printable) error {
	if c.GitHubSummary {
		if err := appendTo(os.Getenv("GITHUB_STEP_SUMMARY"), p.WriteMarkdown); err != nil {
			return err
		}
	}
	switch {
	case c.JSON:
		return printJSON(os.Stdout, p)
	case c.Markdown:
		return p.WriteMarkdown(os.Stdout)
	}
	return p.WriteText(os.Stdout, terminalOf(os.Stdout))
}

func appendTo(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// broken is an error that names every change beyond a limit, and every stack that the
// second run could not measure.
func broken(limits []compare.Limit, c *compare.Comparison) error {
	if len(limits) == 0 {
		return nil
	}
	var lines []string
	for _, b := range c.Broken(limits) {
		lines = append(lines, b.String())
	}
	lines = append(lines, c.Lost...)
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("beyond the limits:\n%s", strings.Join(lines, "\n"))
}

// idle is an error that names every limit that could be held against nothing: a gate
// must not pass by it.
func idle(limits []compare.Limit, c *compare.Comparison) error {
	var lines []string
	for _, i := range c.Idle(limits) {
		lines = append(lines, i.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%w: nothing is shown:\n%s", errUsage, strings.Join(lines, "\n"))
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// terminalOf says how to draw on a file: as wide as its window and in colour if
// it has one and NO_COLOR is not set.
func terminalOf(f *os.File) table.Terminal {
	if !term.IsTerminal(int(f.Fd())) {
		return table.Terminal{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return table.Terminal{Width: width, Color: os.Getenv("NO_COLOR") == ""}
}

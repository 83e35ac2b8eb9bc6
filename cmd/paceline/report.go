package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/paceline/paceline/internal/bench/report"
	"github.com/paceline/paceline/internal/bench/report/compare"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// reportCommand renders a saved run again, or compares two.
type reportCommand struct {
	First    string   `arg:"" name:"run" help:"Directory of a run (or its results.json)."`
	Against  string   `arg:"" name:"against" optional:"" help:"Directory of a later run: says what changed from the first."`
	JSON     bool     `xor:"form" help:"Print JSON instead of a table."`
	Markdown bool     `xor:"form" help:"Print Markdown instead of a table, for an issue or a CI job's summary."`
	FailIf   []string `placeholder:"LIMIT" sep:"none" help:"With two runs: exit 1 if a change that is shown goes beyond the limit, like 'throughput<-5%' or 'p95>10%'. Repeatable."`
}

// Run is called by kong.
func (c *reportCommand) Run() error {
	if c.Against == "" {
		if len(c.FailIf) > 0 {
			return fmt.Errorf("%w: --fail-if needs two runs", errUsage)
		}
		return c.render()
	}
	return c.compare()
}

func (c *reportCommand) render() error {
	results, err := report.Read(c.First)
	if err != nil {
		return err
	}
	dir := c.First
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		dir = filepath.Dir(dir)
	}
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
	var limits []compare.Limit
	for _, text := range c.FailIf {
		limit, err := compare.ParseLimit(text)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		limits = append(limits, limit)
	}
	first, err := report.Read(c.First)
	if err != nil {
		return err
	}
	second, err := report.Read(c.Against)
	if err != nil {
		return err
	}
	comparison := compare.Runs(first, second)
	if err := c.print(comparison); err != nil {
		return err
	}
	return broken(limits, comparison)
}

// printable is a summary or a comparison.
type printable interface {
	WriteText(io.Writer, table.Terminal) error
	WriteMarkdown(io.Writer) error
}

func (c *reportCommand) print(p printable) error {
	switch {
	case c.JSON:
		return printJSON(os.Stdout, p)
	case c.Markdown:
		return p.WriteMarkdown(os.Stdout)
	}
	return p.WriteText(os.Stdout, terminalOf(os.Stdout))
}

// broken is an error that names every change beyond a limit.
func broken(limits []compare.Limit, c *compare.Comparison) error {
	var lines []string
	for _, limit := range limits {
		for _, change := range limit.Broken(c) {
			lines = append(lines, fmt.Sprintf("%s: %s, %s changed by %+.1f %%", limit, change.Stack, change.Cell, change.Percent()))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("beyond the limits:\n%s", strings.Join(lines, "\n"))
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

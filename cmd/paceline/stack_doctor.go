package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/stack"
)

type stackDoctor struct {
	Names  []string          `arg:"" optional:"" name:"stack" help:"Stacks to examine (all)."`
	Binary map[string]string `placeholder:"STACK=PATH" help:"Program of a stack that no package carries. Repeatable."`
	JSON   bool              `name:"json" help:"Print JSON."`
}

// examined is one stack's requirements against this machine.
type examined struct {
	Stack    string          `json:"stack"`
	State    stack.State     `json:"state"`
	Runs     bool            `json:"runs"` // every requirement is met
	Findings []stack.Finding `json:"findings"`
}

// Run prints what it found. What is missing is a finding, not a failure.
func (c *stackDoctor) Run(ctx context.Context, app *kong.Kong) error {
	chosen, err := chosenStacks(c.Names)
	if err != nil {
		return err
	}
	home, gpu := stackHome(), stack.HasGPU(ctx)
	var list []examined
	for _, d := range chosen {
		e := examined{Stack: d.Name, Runs: true}
		if e.State, err = home.State(d, gpu); err != nil {
			return err
		}
		if e.Findings, err = home.Examine(ctx, d, gpu, c.Binary[d.Name]); err != nil {
			return err
		}
		for _, f := range e.Findings {
			e.Runs = e.Runs && f.Met
		}
		list = append(list, e)
	}
	if c.JSON {
		return writeJSON(app.Stdout, list)
	}
	return printExamined(app.Stdout, list)
}

func printExamined(w io.Writer, list []examined) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range list {
		fmt.Fprintf(table, "%s\t%s\n", e.Stack, e.State)
		for _, f := range e.Findings {
			sign := "ok"
			if !f.Met {
				sign = "LACKS"
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\n", sign, f.What, f.Found)
			if f.Remedy != "" {
				fmt.Fprintf(table, "\t\t-> %s\n", f.Remedy)
			}
		}
	}
	return table.Flush()
}

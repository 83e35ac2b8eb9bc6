package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/paceline/paceline/internal/stack"
)

type stackInstall struct {
	Names []string `arg:"" name:"stack" help:"Stacks to install; 'paceline stack list' names them."`
}

// Run installs one after the other; a stack that cannot be installed does not
// keep the others from it.
func (c *stackInstall) Run(ctx context.Context) error {
	chosen, err := chosenStacks(c.Names)
	if err != nil {
		return err
	}
	keeper, err := startKeeper()
	if err != nil {
		return err
	}
	defer keeper.Close()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	said := newStackProgress(watching, os.Stderr, stackHome())
	installer := stack.Installer{Home: stackHome(), GPU: stack.HasGPU(ctx), Tell: said.line, Keeper: keeper}
	var failures []error
	for _, d := range chosen {
		failures = append(failures, c.install(ctx, installer, said, d))
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted; 'paceline stack install %s' goes on from here", strings.Join(c.Names, " "))
		}
	}
	return errors.Join(failures...)
}

func (c *stackInstall) install(ctx context.Context, in stack.Installer, said *stackProgress, d *stack.Definition) error {
	needs := d.Needs
	needs.Program, needs.Memory = nil, 0 // asked for when it is started
	if err := unmet(ctx, in.Home, d, needs, in.GPU, ""); err != nil {
		return err
	}
	said.begin(d)
	if err := in.Install(ctx, d); err != nil {
		said.done("")
		return err
	}
	state, err := in.Home.State(d, in.GPU)
	if err != nil {
		return err
	}
	said.done(state)
	return nil
}

// unmet says which of a stack's needs this machine does not meet, and what would.
func unmet(ctx context.Context, home stack.Home, d *stack.Definition, needs stack.Needs, gpu bool, program string) error {
	narrowed := *d
	narrowed.Needs = needs
	findings, err := home.Examine(ctx, &narrowed, gpu, program)
	if err != nil {
		return err
	}
	for _, f := range findings {
		if !f.Met {
			return fmt.Errorf("%s needs %s (here: %s): %s", d.Name, f.What, f.Found, f.Remedy)
		}
	}
	return nil
}

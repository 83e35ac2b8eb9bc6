package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/stack"
)

type stackLogs struct {
	Name    string `arg:"" name:"stack" help:"Stack whose log is wanted."`
	Install bool   `help:"The log of its installation instead of its last run."`
	Follow  bool   `short:"f" help:"Go on until Ctrl-C."`
}

// Run copies the log to stdout.
func (c *stackLogs) Run(ctx context.Context, app *kong.Kong) error {
	list, err := readStacks()
	if err != nil {
		return err
	}
	d, server, err := stack.Find(list, c.Name)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	path := stackHome().ServerLog(server.Name)
	if c.Install {
		path = stackHome().InstallLog(d)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no log yet: %w", c.Name, err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if !c.Follow {
		_, err = io.Copy(app.Stdout, f)
		return err
	}
	return follow(ctx, app.Stdout, f)
}

// follow copies what is there and what comes, until ctx ends.
func follow(ctx context.Context, w io.Writer, f *os.File) error {
	const glance = 200 * time.Millisecond
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if _, err := io.Copy(w, f); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

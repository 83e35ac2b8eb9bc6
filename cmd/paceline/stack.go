package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/stack"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/stacks"
)

// stackCommand is `paceline stack`.
type stackCommand struct {
	List    stackList    `cmd:"" help:"List the stacks: what is installed, what is running."`
	Install stackInstall `cmd:"" help:"Install stacks, each into an environment of its own; goes on where it was interrupted."`
	Up      stackUp      `cmd:"" help:"Start stacks and keep them until Ctrl-C or 'stack down'; nothing of them outlives this."`
	Down    stackDown    `cmd:"" help:"End stacks that another 'stack up' keeps."`
	Logs    stackLogs    `cmd:"" help:"Print what a stack wrote."`
	Doctor  stackDoctor  `cmd:"" help:"Say what each stack needs, what this machine lacks and what would provide it."`
}

// ownStacks names a folder of further stacks, or of other versions of ours.
const ownStacks = "PACELINE_STACKS"

// stackHome is the folder that stacks are installed in.
func stackHome() stack.Home {
	return stack.Home{Dir: filepath.Join(store.FromEnvironment().Own, "stacks")}
}

// readStacks gives the stacks that the binary carries and the user's own, by name.
func readStacks() ([]*stack.Definition, error) {
	list, err := stack.ReadAll(stacks.Files)
	if err != nil {
		return nil, err
	}
	dir := os.Getenv(ownStacks)
	if dir == "" {
		return list, nil
	}
	own, err := stack.ReadAll(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w", ownStacks, dir, err)
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("%s=%s: no folder in it has a %s: %w", ownStacks, dir, stack.DefinitionFile, fs.ErrNotExist)
	}
	for _, d := range own {
		list = slices.DeleteFunc(list, func(ours *stack.Definition) bool { return ours.Name == d.Name })
	}
	list = append(list, own...)
	slices.SortFunc(list, func(a, b *stack.Definition) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// chosenStacks gives the stacks of those names, which may be those of their
// servers; all where there is no name.
func chosenStacks(names []string) ([]*stack.Definition, error) {
	list, err := readStacks()
	if err != nil || len(names) == 0 {
		return list, err
	}
	var chosen []*stack.Definition
	for _, name := range names {
		d, _, err := stack.Find(list, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if !slices.Contains(chosen, d) {
			chosen = append(chosen, d)
		}
	}
	return chosen, nil
}

type stackList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// listedServer is one line of the list.
type listedServer struct {
	Name    string         `json:"name"`
	Title   string         `json:"title"`
	Stack   string         `json:"stack"`
	State   stack.State    `json:"state"`
	Running *stack.Running `json:"running,omitempty"`
}

// Run prints one line a server.
func (c *stackList) Run(ctx context.Context, app *kong.Kong) error {
	lines, err := c.lines(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(app.Stdout, lines)
	}
	table := tabwriter.NewWriter(app.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STACK\tSTATE\tRUNNING\tWHAT IT IS")
	for _, l := range lines {
		url := "-"
		if l.Running != nil {
			url = l.Running.URL
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.Name, l.State, url, l.Title)
	}
	return table.Flush()
}

func (c *stackList) lines(ctx context.Context) (lines []listedServer, err error) {
	list, err := readStacks()
	if err != nil {
		return nil, err
	}
	home := stackHome()
	running, err := home.Running()
	if err != nil {
		return nil, err
	}
	gpu := stack.HasGPU(ctx)
	for _, d := range list {
		state, err := home.State(d, gpu)
		if err != nil {
			return nil, err
		}
		for _, s := range d.Servers {
			line := listedServer{Name: s.Name, Title: s.Title, Stack: d.Name, State: state}
			if i := slices.IndexFunc(running, func(r stack.Running) bool { return r.Server == s.Name }); i >= 0 {
				line.Running = &running[i]
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

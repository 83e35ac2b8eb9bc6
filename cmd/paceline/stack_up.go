package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/process"
	"github.com/paceline/paceline/internal/stack"
)

type stackUp struct {
	Names   []string          `arg:"" name:"stack" help:"Stacks to start; 'paceline stack list' names them."`
	Model   string            `default:"all-MiniLM-L6-v2" placeholder:"NAME|DIR" env:"PACELINE_MODEL" help:"Model that each serves (${default})."`
	Threads int               `placeholder:"N" env:"PACELINE_THREADS" help:"Threads of each (one a core)."`
	Binary  map[string]string `placeholder:"STACK=PATH" help:"Program of a stack that no package carries, such as tei=./text-embeddings-router. Repeatable."`
}

// Run keeps the servers until they are ended. Each is announced on stdout.
func (c *stackUp) Run(ctx context.Context, app *kong.Kong) error {
	starter, err := newStarter(ctx, c.Model, c.Threads, c.Binary)
	if err != nil {
		return err
	}
	defer starter.keeper.Close()
	var specs []process.Spec
	for _, name := range c.Names {
		l, err := starter.launch(ctx, name, "")
		if err != nil {
			return err
		}
		specs = append(specs, *l.spec)
	}
	supervisor := stack.Supervisor{
		Home: starter.home, Model: starter.options.ModelName,
		Starting: func(server string) { fmt.Fprintf(os.Stderr, "starting %s\n", server) },
		Ready: func(r stack.Running, seconds float64) {
			fmt.Fprintf(app.Stdout, "%s\t%s\n", r.Server, r.URL)
			fmt.Fprintf(os.Stderr, "%s is ready after %.1f s; log: %s\n", r.Server, seconds, r.LogFile)
		},
		Ended: func(server string, crash error) {
			if crash == nil {
				fmt.Fprintf(os.Stderr, "%s was ended\n", server)
			}
		},
	}
	return supervisor.Up(ctx, specs)
}

// starter makes what starts servers, for one model and the same threads for all.
type starter struct {
	name    string // of the model, as it was asked for
	stacks  []*stack.Definition
	home    stack.Home
	options stack.Options
	binary  map[string]string
	keeper  *process.Keeper
}

// launched is a server that can be started.
type launched struct {
	stack  *stack.Definition
	server *stack.Server
	spec   *process.Spec
	model  string // that its API asks for
}

func newStarter(ctx context.Context, model string, threads int, binary map[string]string) (*starter, error) {
	if err := checkThreads(threads); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	list, err := readStacks()
	if err != nil {
		return nil, err
	}
	for name := range binary {
		d, _, err := stack.Find(list, name)
		if err != nil {
			return nil, fmt.Errorf("%w: --binary: %w", errUsage, err)
		}
		if d.Needs.Program == nil {
			return nil, fmt.Errorf("%w: --binary: %s needs no program from you", errUsage, name)
		}
	}
	repository, err := openStore().Open(ctx, model)
	if err != nil {
		return nil, err
	}
	keeper, err := startKeeper()
	if err != nil {
		return nil, err
	}
	o := stack.Options{Model: repository.Dir, ModelName: repository.Name, Threads: threadsOr(threads), GPU: stack.HasGPU(ctx)}
	return &starter{model, list, stackHome(), o, binary, keeper}, nil
}

// launch says how the server of that name is started.
func (s *starter) launch(ctx context.Context, name, logFile string) (*launched, error) {
	d, server, err := stack.Find(s.stacks, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	o := s.options
	o.Program, o.LogFile = s.binary[name], logFile
	if logFile == "" {
		o.LogFile = s.home.ServerLog(name)
	}
	spec, err := s.home.Launch(d, server, o)
	if err != nil {
		return nil, err
	}
	needs := d.Needs
	needs.Python, needs.Disk = nil, 0 // installing asked for them
	if err := unmet(ctx, s.home, d, needs, o.GPU, o.Program); err != nil {
		return nil, err
	}
	spec.Keeper = s.keeper
	return &launched{d, server, spec, server.ServedModel(o)}, nil
}

// threadsOr is the number that was asked for, or one thread a usable core.
func threadsOr(asked int) int {
	if asked > 0 {
		return asked
	}
	return runtime.GOMAXPROCS(0)
}

type stackDown struct {
	Names []string `arg:"" optional:"" name:"stack" help:"Stacks to end (all that are running)."`
}

// downLimit is longer than any stack's grace.
const downLimit = time.Minute

// Run waits until each is gone.
func (c *stackDown) Run(ctx context.Context) error {
	home := stackHome()
	if len(c.Names) == 0 {
		running, err := home.Running()
		if err != nil {
			return err
		}
		for _, r := range running {
			c.Names = append(c.Names, r.Server)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, downLimit, fmt.Errorf("still there after %v", downLimit))
	defer cancel()
	var failures []error
	for _, name := range c.Names {
		if strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("%w: %q is no stack's name", errUsage, name)
		}
		failures = append(failures, home.Down(ctx, name))
	}
	return errors.Join(failures...)
}

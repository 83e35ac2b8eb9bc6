// Command paceline serves text embeddings and measures the stacks that serve them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/assemble"
)

// Exit codes that scripts rely on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// commandLine lists the subcommands; each lives in the file of its name.
type commandLine struct {
	Bench  benchCommand  `cmd:"" help:"Compare serving stacks on one model and the same texts; write tables, charts and a report."`
	Stress stressCommand `cmd:"" help:"Load one running service for a time and report rates, latencies and errors."`
	Serve  serveCommand  `cmd:"" help:"Serve embeddings, similarity and search over HTTP."`
	Embed  embedCommand  `cmd:"" help:"Embed files in bulk: text, JSONL, CSV, Parquet in; Parquet, JSONL, npy out; a killed run goes on."`

	Stack  stackCommand  `cmd:"" help:"Install, start and end the real stacks that are compared."`
	Models modelsCommand `cmd:"" help:"List, fetch, verify and remove models."`
	Data   dataCommand   `cmd:"" help:"Write the texts that bench and stress send: MS MARCO, your own, or made from a seed."`
	Doctor doctorCommand `cmd:"" help:"Say what this machine is: processor, kernels, memory, caches, hub."`

	Agent       agentCommand       `cmd:"" help:"Tell a benchmark on another machine what a server on this one takes."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready: exit 0 if it is, 1 if not. For containers."`
	Report      reportCommand      `cmd:"" help:"Render a saved run again, or compare two."`
	Keep        keepCommand        `cmd:"" hidden:""`
	Version     versionFlag        `help:"Print the version and exit."`
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	slog.SetDefault(slog.New(newLineLog(os.Stderr)))
	parser, err := kong.New(&commandLine{},
		kong.Name("paceline"),
		kong.Description("Serve text embeddings as fast as the machine allows, and measure honestly every stack that serves them."),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic(err) // the struct above is wrong: a mistake of ours
	}
	command, err := parser.Parse(args)
	if err != nil {
		// A flag that may be left out has "" among its values, which nobody would give.
		fmt.Fprintf(os.Stderr, "paceline: %s\n", strings.Replace(err.Error(), `must be one of "",`, "must be one of ", 1))
		return exitUsage
	}
	return exitCode(command.Run())
}

// errUsage marks a mistake in the arguments that parsing could not see.
var errUsage = errors.New("wrong usage")

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage), errors.Is(err, assemble.ErrUnknownDevice), errors.Is(err, assemble.ErrUnknownDType):
		fmt.Fprintf(os.Stderr, "paceline: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(os.Stderr, "paceline: %v\n", err)
		return exitFailed
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report"
	"github.com/paceline/paceline/internal/dataset"
)

// benchCommand is `paceline bench`.
type benchCommand struct {
	Quick       bool              `xor:"effort" help:"Under a minute: fewer points and repeats."`
	Full        bool              `xor:"effort" help:"As long as it takes: ten repeats of ten seconds a point, percentiles up to p99."`
	Duration    time.Duration     `xor:"effort" placeholder:"TIME" help:"That long, such as 20m: up to ten repeats and longer slices. For stacks so slow that four minutes do not tell them apart."`
	Model       string            `default:"all-MiniLM-L6-v2" placeholder:"NAME|DIR" env:"PACELINE_MODEL" help:"Model that every profile serves, and that gives the reference vectors (${default})."`
	Profiles    []string          `placeholder:"A,B" help:"Profiles of paceline serve to compare (fastapi,triton,tei,langchain,vllm, unless there is a --stack); none for targets alone."`
	Stack       []string          `placeholder:"A,B" help:"Real stacks to start and compare, as 'paceline stack list' names them; paceline is this program without a profile."`
	Binary      map[string]string `placeholder:"STACK=PATH" help:"Program of a stack that no package carries, such as tei=./text-embeddings-router. Repeatable."`
	Target      []string          `placeholder:"NAME=DIALECT@URL" sep:"none" help:"A running service to compare with them. Repeatable. Dialects: fastapi, kserve-grpc (at its gRPC port), kserve-http, openai, openai-base64, poc, tei."`
	Agent       map[string]string `placeholder:"NAME=URL" help:"Who tells what a target on another machine takes: a 'paceline agent' there, or its page of metrics. Repeatable. (PACELINE_AGENT_TOKEN is sent to agents; without the flag the target's own /metrics is tried.)"`
	Data        string            `placeholder:"FILE" help:"Texts to embed: JSON, JSONL, CSV, Parquet, plain lines or a BEIR folder (made from --seed after MS MARCO's lengths)."`
	BatchSizes  []int             `placeholder:"N,N" help:"Texts a request, with one client (1,4,8,16,32,64,128)."`
	Concurrency []int             `placeholder:"N,N" help:"Clients, at 32 texts a request (1,2,4,8,16,32)."`
	TextLengths []int             `placeholder:"N,N" help:"Characters a text, for the memory of each server (50,100,200,500,1000,2000)."`
	Demand      demandFlags       `embed:""`
	Exam        qualityFlags      `embed:""`
	Threads     int               `placeholder:"N" env:"PACELINE_THREADS" help:"Threads of each server (one a core)."`
	DType       string            `name:"dtype" default:"auto" env:"PACELINE_DTYPE" help:"Arithmetic of the profiles' engine (${default})."`
	Seed        uint64            `default:"42" help:"Seed of all that is drawn (${default})."`
	Out         string            `placeholder:"DIR" help:"Directory of the results (paceline-results/<time>)."`
	JSON        bool              `help:"Print the summary as JSON instead of a table."`
	Engine      bool              `help:"Profile this program's engine instead, without a server: where the time of a pass goes, and each product's share of the core's measured peak."`
}

// Texts that the sweeps draw on.
const (
	syntheticTexts = 2000
	lengthTexts    = 64
	probeTexts     = 24
	sweepBatch     = 32 // texts a request while concurrency is swept
)

// Run measures, writes the report and prints the summary.
func (c *benchCommand) Run(ctx context.Context, app *kong.Kong) error {
	if c.Engine {
		return c.profileEngine(ctx, app)
	}
	stacks, err := c.stacks()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := c.sweeps(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	demand, err := c.Demand.demand()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := errors.Join(c.checkDuration(), checkThreads(c.Threads), c.Exam.check()); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := c.resources(ctx, stacks); err != nil {
		return err
	}
	watcher := newBenchProgress(os.Stderr)
	defer watcher.close()
	config := bench.Config{Effort: c.effort(), Watcher: watcher, SpoolDir: c.out(), Demand: demand}
	if !c.Demand.SkipSweeps {
		config.Points = bench.Points(c.BatchSizes, c.Concurrency, sweepBatch)
	}
	if err := c.prepare(ctx, &config, watcher); err != nil {
		return err
	}
	release, err := c.launchAll(ctx, &config, stacks)
	if err != nil {
		return err
	}
	defer release()
	results, failed := bench.Run(ctx, config)
	if results == nil {
		return failed
	}
	watcher.Stage("writing the report")
	err = report.Write(c.Out, results)
	watcher.close()
	if err != nil {
		return err
	}
	return errors.Join(c.print(app, results), failed, interrupted(ctx, c.Out))
}

func (c *benchCommand) print(app *kong.Kong, results *record.Results) error {
	summary := report.Summarize(results)
	if c.JSON {
		return printJSON(app.Stdout, summary)
	}
	if err := summary.WriteText(app.Stdout, terminalOf(os.Stdout)); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "report: %s\n", filepath.Join(c.Out, report.PageFile))
	return nil
}

// interrupted turns an early end into a failure: a comparison that lacks repeats
// is not what was asked for.
func interrupted(ctx context.Context, out string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("interrupted; what was measured so far is in %s", out)
}

func (c *benchCommand) effort() bench.Effort {
	switch {
	case c.Quick:
		return bench.Quick
	case c.Full:
		return bench.Full
	case c.Duration > 0:
		return bench.Within(c.Duration)
	}
	return bench.Default
}

// checkDuration refuses times in which nothing can be compared.
func (c *benchCommand) checkDuration() error {
	if least := bench.Quick.Budget; c.Duration != 0 && c.Duration < least {
		return fmt.Errorf("--duration %v: a comparison takes %v at least (--quick)", c.Duration, least)
	}
	return nil
}

// out is the directory of the results, named once.
func (c *benchCommand) out() string {
	if c.Out == "" {
		c.Out = filepath.Join("paceline-results", time.Now().Format("20060102-150405"))
	}
	return c.Out
}

// sweeps completes and checks the points that flags may set.
func (c *benchCommand) sweeps() error {
	sets := []struct {
		flag         string
		values       *[]int
		usual, quick []int
	}{
		{"--batch-sizes", &c.BatchSizes, []int{1, 4, 8, 16, 32, 64, 128}, []int{1, 8, 32, 64}},
		{"--concurrency", &c.Concurrency, []int{1, 2, 4, 8, 16, 32}, []int{1, 4, 8}},
		{"--text-lengths", &c.TextLengths, []int{50, 100, 200, 500, 1000, 2000}, []int{50, 500, 2000}},
	}
	for _, set := range sets {
		switch {
		case *set.values != nil:
		case c.Quick:
			*set.values = set.quick
		default:
			*set.values = set.usual
		}
		slices.Sort(*set.values)
		*set.values = slices.Compact(*set.values)
		if len(*set.values) == 0 {
			return fmt.Errorf("%s: no values", set.flag)
		}
		const most = 1 << 16
		if first, last := (*set.values)[0], (*set.values)[len(*set.values)-1]; first < 1 || last > most {
			return fmt.Errorf("%s: every value must be from 1 to %d", set.flag, most)
		}
	}
	return nil
}

// prepare gathers what does not depend on the stacks: texts, the reference and
// what the manifest says.
func (c *benchCommand) prepare(ctx context.Context, config *bench.Config, watcher *benchProgress) error {
	watcher.Stage("preparing the texts and the reference vectors of " + c.Model)
	set := dataset.Synth(c.Seed, syntheticTexts)
	if c.Data != "" {
		var err error
		if set, err = dataset.Load(ctx, c.Data); err != nil {
			return err
		}
	}
	if len(set.Texts) == 0 {
		return fmt.Errorf("%s holds no texts", set.Source)
	}
	var err error
	if config.Exam, err = c.Exam.exam(ctx); err != nil {
		return err
	}
	config.Data.Texts = set.Texts
	config.ByLength = map[int]bench.Texts{}
	for _, length := range c.TextLengths {
		if c.Demand.SkipSweeps {
			break
		}
		config.ByLength[length] = bench.Texts{Texts: dataset.SynthChars(c.Seed, lengthTexts, length).Texts}
	}
	config.Probes.Texts = set.Texts[:min(probeTexts, len(set.Texts))]
	config.Manifest = c.manifest(ctx, set)
	if err := c.reference(ctx, config); err != nil {
		if len(c.Profiles)+len(c.Stack) > 0 {
			return err
		}
		watcher.Doubted(record.Warning{Code: "no_reference", Text: err.Error(), Advice: "Without reference vectors no target can be called comparable: give the model that they serve with --model."})
	}
	return ctx.Err()
}

// manifest says what is known before anything runs.
func (c *benchCommand) manifest(ctx context.Context, set dataset.Set) record.Manifest {
	module, commit := versionAndCommit()
	return record.Manifest{
		Version: module, Commit: commit, Command: append([]string{"paceline"}, os.Args[1:]...), Seed: c.Seed,
		Config: map[string]any{
			"effort": c.effort(), "profiles": c.Profiles, "stacks": c.Stack, "targets": c.Target, "threads": c.Threads,
			"batch_sizes": c.BatchSizes, "concurrency": c.Concurrency, "text_lengths": c.TextLengths,
			"quality": c.Exam,
			"rates":   c.Demand.Rate, "arrivals": c.Demand.Arrivals, "mix": c.Demand.Mix, "slo": c.Demand.SLO, "scenarios": c.Demand.Scenario,
		},
		Machine: machine(ctx, threadsOr(c.Threads)),
		Data:    record.Data{Source: set.Source, SHA256: set.SHA256, Texts: len(set.Texts), MeanChars: meanChars(set.Texts)},
	}
}

func meanChars(texts []string) float64 {
	sum := 0
	for _, text := range texts {
		sum += len([]rune(text))
	}
	return float64(sum) / float64(len(texts))
}

// parseTarget reads NAME=DIALECT@URL.
func parseTarget(text string) (bench.Stack, error) {
	name, rest, named := strings.Cut(text, "=")
	dialect, url, addressed := strings.Cut(rest, "@")
	if !named || !addressed || name == "" || url == "" {
		return bench.Stack{}, fmt.Errorf("--target %q: want NAME=DIALECT@URL, such as mine=tei@http://127.0.0.1:8080", text)
	}
	d, err := driver.Open(dialect, url, driver.Options{})
	if err != nil {
		return bench.Stack{}, fmt.Errorf("--target %q: %w", text, err)
	}
	d.Close()
	return bench.Stack{Name: name, Dialect: dialect, URL: url}, nil
}

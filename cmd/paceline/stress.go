package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/shape"
	"github.com/paceline/paceline/internal/dataset"
)

// stressCommand is `paceline stress`. Ctrl-C is an ordinary way to end it: the
// result is written, marked as interrupted, and the exit code is 0.
type stressCommand struct {
	URL       string         `required:"" aliases:"service-url" placeholder:"URL" help:"Address of the service, such as http://localhost:8000."`
	Dialect   string         `default:"poc" enum:"poc,tei,openai,openai-base64,fastapi,kserve-http,kserve-grpc" help:"API of the service: poc, tei, openai, openai-base64, fastapi, kserve-http, kserve-grpc (the URL of its gRPC port) (${default})."`
	Model     string         `placeholder:"NAME" help:"Model to ask an OpenAI-style service for (the first it lists)."`
	Duration  *time.Duration `xor:"duration" placeholder:"10m" help:"How long to load it (10m)."`
	Minutes   *float64       `name:"duration-minutes" xor:"duration" placeholder:"N" help:"The same in minutes."`
	BatchSize int            `default:"32" help:"Texts a request (${default})."`
	Clients   int            `name:"max-concurrent-requests" default:"10" placeholder:"N" help:"Clients that each wait for their reply; without --rate (${default})."`
	Rate      float64        `placeholder:"R" help:"Requests a second, sent on schedule however many are under way; latency counts from the schedule."`
	Arrivals  string         `default:"poisson" placeholder:"HOW" help:"Schedule of --rate: poisson, constant, bursts, bursts:N (N at once in the mean) or trace:FILE, which has a rate of its own too (${default})."`
	Mix       string         `placeholder:"SHARES" help:"Shapes of the requests instead of --batch-size: batch=1:0.7,8:0.2,32:0.1,chars=50:1,500:1, values with their weights."`
	Agent     string         `placeholder:"URL" help:"Who tells what a service on another machine takes: a 'paceline agent' there, or its page of metrics. (PACELINE_AGENT_TOKEN is sent to agents; without the flag the service's own /metrics is tried.)"`
	Data      string         `aliases:"data-file" placeholder:"FILE" help:"Texts, loaded before the clock starts (made from --seed after MS MARCO's lengths)."`
	Seed      uint64         `default:"42" help:"Seed of the texts and the schedule (${default})."`
	Out       string         `default:"." placeholder:"DIR" help:"Directory for stress_test_results_{timestamp}.json and the raw records (${default})."`
	JSON      bool           `help:"Print the result as JSON instead of a summary."`

	duration time.Duration  // of the two flags
	arrivals *load.Arrivals // nil: a closed loop
	mix      shape.Mix
}

// The proof of concept's length of a test and size of a data set.
const (
	stressDuration = 10 * time.Minute
	stressTexts    = 10_000
)

// Run loads the service, writes the result and prints it.
func (c *stressCommand) Run(ctx context.Context, app *kong.Kong) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	set := dataset.Synth(c.Seed, stressTexts)
	if c.Data != "" {
		var err error
		if set, err = dataset.Load(ctx, c.Data); err != nil {
			return err
		}
	}
	if len(set.Texts) == 0 {
		return fmt.Errorf("%s holds no texts", set.Source)
	}
	watcher := newStressProgress(os.Stderr, c.duration)
	log := slog.New(slog.NewJSONHandler(watcher, nil))
	watcher.log = log
	name := "stress_test_results_" + time.Now().Format("20060102_150405")
	log.Info("stress test started", "url", c.URL, "dialect", c.Dialect, "duration_seconds", c.duration.Seconds(), "batch_size", c.BatchSize,
		"max_concurrent_requests", c.Clients, "rate", c.Rate, "texts", len(set.Texts), "source", set.Source)
	config := c.config(set, filepath.Join(c.Out, name+".jsonl.gz"), watcher)
	if err := c.resources(ctx, &config); err != nil {
		watcher.close()
		return err
	}
	result, err := bench.Stress(ctx, config)
	watcher.close()
	if err != nil {
		return err
	}
	result.Records = name + ".jsonl.gz"
	result.Manifest = c.manifest(ctx, set, result)
	path := filepath.Join(c.Out, name+".json")
	if err := writeAside(path, result); err != nil {
		return err
	}
	c.report(log, result, path)
	if c.JSON {
		err = printJSON(app.Stdout, result)
	} else {
		err = printStress(app.Stdout, result)
	}
	if result.Successful == 0 && !result.Interrupted {
		err = errors.Join(err, fmt.Errorf("%d of %s succeeded", result.Successful, english.Plural(result.Requests, "request", "")))
	}
	return err
}

func (c *stressCommand) check() error {
	c.duration = stressDuration
	switch {
	case c.Duration != nil:
		c.duration = *c.Duration
	case c.Minutes != nil:
		c.duration = time.Duration(*c.Minutes * float64(time.Minute))
	}
	for _, f := range []struct {
		flag string
		ok   bool
		want string
	}{
		{"--duration", c.duration > 0, "longer than 0"},
		{"--batch-size", c.BatchSize >= 1 && c.BatchSize <= 1<<16, "from 1 to 65536"},
		{"--max-concurrent-requests", c.Clients >= 1 && c.Clients <= 1<<16, "from 1 to 65536"},
		{"--rate", c.Rate >= 0 && c.Rate <= 1e6 && !math.IsNaN(c.Rate), "from 0 to 1000000"},
	} {
		if !f.ok {
			return fmt.Errorf("%s must be %s", f.flag, f.want)
		}
	}
	d, err := driver.Open(c.Dialect, c.URL, driver.Options{})
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	d.Close()
	if info, err := os.Stat(c.Out); err == nil && !info.IsDir() {
		return fmt.Errorf("--out: %s is not a directory", c.Out)
	}
	return c.checkLoad()
}

// checkLoad reads how requests come and how large they are.
func (c *stressCommand) checkLoad() (err error) {
	arrivals, err := load.ParseArrivals(c.Arrivals)
	if err != nil {
		return fmt.Errorf("--arrivals: %w", err)
	}
	if c.Rate > 0 || arrivals.Trace() != nil {
		c.arrivals = &arrivals
	}
	if c.Mix != "" {
		if c.mix, err = shape.Parse(c.Mix); err != nil {
			return fmt.Errorf("--mix: %w", err)
		}
	}
	return nil
}

func (c *stressCommand) config(set dataset.Set, records string, watcher bench.StressWatcher) bench.StressConfig {
	return bench.StressConfig{
		Dialect: c.Dialect, URL: c.URL, Model: c.Model, Texts: set.Texts, BatchSize: c.BatchSize, Clients: c.Clients,
		Arrivals: c.arrivals, Rate: c.Rate, Mix: c.mix, Seed: c.Seed, Duration: c.duration, Records: records, Watcher: watcher,
	}
}

func (c *stressCommand) manifest(ctx context.Context, set dataset.Set, r *bench.StressResult) record.Manifest {
	module, commit := versionAndCommit()
	return record.Manifest{
		Version: module, Commit: commit, Command: append([]string{"paceline"}, os.Args[1:]...), Started: r.Started, Finished: r.Finished, Seed: c.Seed,
		Config: map[string]any{
			"url": c.URL, "dialect": c.Dialect, "duration_seconds": c.duration.Seconds(), "batch_size": c.BatchSize,
			"max_concurrent_requests": c.Clients, "rate": c.Rate, "arrivals": c.Arrivals, "mix": c.mix.String(),
		},
		Machine: machine(ctx, 0),
		Data:    record.Data{Source: set.Source, SHA256: set.SHA256, Texts: len(set.Texts), MeanChars: meanChars(set.Texts)},
	}
}

// report logs the end and every doubt.
func (c *stressCommand) report(log *slog.Logger, r *bench.StressResult, path string) {
	if r.GPUAbsent != "" {
		log.Info("no GPU figures", "reason", r.GPUAbsent)
	}
	for _, w := range r.Warnings {
		log.Warn(w.Text, "code", w.Code, "advice", w.Advice)
	}
	log.Info("stress test finished", "result", path, "total_requests", r.Requests, "successful_requests", r.Successful,
		"requests_per_second", r.PerSecond, "interrupted", r.Interrupted)
}

// writeAside writes JSON to a temporary file and gives it its name when it is whole.
func writeAside(path string, v any) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	e := json.NewEncoder(file)
	e.SetIndent("", "  ")
	if err := errors.Join(e.Encode(v), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// printStress prints what a person wants to know first.
func printStress(w io.Writer, r *bench.StressResult) error {
	_, err := fmt.Fprintf(w, "%s in %.1f s: %.2f successful a second (%.1f embeddings/s), %.2f %% succeeded%s\nlatency, ms: mean %s, %s\n",
		english.Plural(r.Requests, "request", ""), r.Seconds, r.PerSecond, r.Embeddings, 100*r.SuccessRate, sentLate(r), milliseconds(r.Latency.Mean), percentiles(r))
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		if _, err := fmt.Fprintf(w, "%s: %d, first: %s\n", kind, r.Errors[kind], r.ErrorMessages[kind]); err != nil {
			return err
		}
	}
	if r.ServerCPU != nil {
		if _, err := fmt.Fprintf(w, "server: %.2f cores, %s embeddings a CPU-second, peak memory %.1f MB\n", *r.Cores, rounded(r.PerCPUSecond), float64(*r.PeakMemory)/1e6); err != nil {
			return err
		}
	}
	for _, doubt := range r.Warnings {
		if _, err := fmt.Fprintf(w, "! %s\n", doubt); err != nil {
			return err
		}
	}
	return nil
}

func sentLate(r *bench.StressResult) string {
	if r.Late == 0 {
		return ""
	}
	return fmt.Sprintf(", %d sent late", r.Late)
}

// percentiles are those that enough successes stand behind; the result's warnings
// say why the others are not shown.
func percentiles(r *bench.StressResult) string {
	var list []string
	for _, p := range []struct {
		name  string
		value *float64
	}{{"p50", r.Latency.P50}, {"p90", r.Latency.P90}, {"p99", r.Latency.P99}} {
		if slices.Contains(r.Uncertified, p.name) {
			p.value = nil
		}
		list = append(list, p.name+" "+milliseconds(p.value))
	}
	return strings.Join(list, ", ")
}

func milliseconds(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", 1000**seconds)
}

func rounded(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", *v)
}

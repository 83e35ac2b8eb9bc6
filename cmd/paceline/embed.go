package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/bulk"
	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/pipeline"
)

// embedCommand is `paceline embed`.
type embedCommand struct {
	In  []string `arg:"" help:"Files: JSONL, CSV, TSV, Parquet, a JSON list, lines, each by its name (.gz too); a folder in BEIR layout; - for standard input."`
	Out string   `short:"o" required:"" placeholder:"FILE" help:"File to write: .parquet, .jsonl or .npy; - for standard output. It appears when it is whole; until then FILE.partial keeps what is done."`

	Model     string `default:"all-MiniLM-L6-v2" env:"PACELINE_MODEL" help:"Model: name, org/name, org/name@revision or a folder (${default})."`
	DType     string `name:"dtype" default:"auto" env:"PACELINE_DTYPE" help:"Arithmetic of the linear layers: auto, float32, bfloat16, int16, int8 (${default})."`
	Threads   int    `placeholder:"N" env:"PACELINE_THREADS" help:"Threads of the engine (one a core)."`
	Prompt    string `xor:"prompt" placeholder:"TEXT" help:"Text put before every text."`
	PromptKey string `name:"prompt-name" xor:"prompt" placeholder:"NAME" help:"The model's prompt of that name, put before every text."`
	LongText  string `name:"long-text" enum:"truncate,chunk-mean,error" default:"truncate" placeholder:"WHAT" help:"What becomes of a text that is too long: truncate it, embed it in chunks and take their mean (chunk-mean), or end with an error (${default})."`

	Dimensions int   `placeholder:"N" help:"Keep the first N values of each vector, for models trained so."`
	Normalize  *bool `negatable:"" help:"Scale vectors to length 1, or leave them as they are (as the model's repository says)."`

	Text    string   `name:"text-column" placeholder:"NAME" help:"Column or field of the text (text, passage, sentence, content, body …; of JSON with the title before it)."`
	Columns []string `sep:"," placeholder:"NAME,…" help:"Columns kept beside the vectors (the id's: _id, id, docid, pid …)."`
	From    string   `name:"input-format" enum:",lines,tsv,jsonl,json,csv,parquet" default:"" placeholder:"FORMAT" help:"Format of the inputs, whatever their names are: lines, tsv, jsonl, json, csv, parquet (standard input: lines)."`
	To      string   `name:"output-format" enum:",parquet,jsonl,npy" default:"" placeholder:"FORMAT" help:"Format of the output, whatever its name is: parquet, jsonl, npy (standard output: jsonl)."`

	Checkpoint time.Duration `default:"1m" help:"How much work may be lost when the run is killed, or 1,024 rows (${default})."`
	Overwrite  bool          `help:"Replace FILE, once the new one is whole."`
	Restart    bool          `help:"Drop what an unfinished run left in FILE.partial."`
	JSON       bool          `name:"json" help:"Print the summary as JSON."`
}

// Run embeds the files and says what came of it.
func (c *embedCommand) Run(ctx context.Context, app *kong.Kong) error {
	format, err := c.check()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	m, err := assemble.Open(ctx, openStore(), c.Model, assemble.Options{DType: c.DType, Threads: c.Threads})
	if err != nil {
		return err
	}
	defer m.Close()
	job, err := c.job(ctx, m, format)
	if err != nil {
		return err
	}
	job.Stdout = app.Stdout
	if slices.Contains(c.In, "-") { // else it is somebody else's
		job.Stdin = readUntil(ctx, os.Stdin)
	}
	context.AfterFunc(onSecondSignal(ctx), func() { os.Exit(1) }) // nothing is lost: a later run goes on
	progress := newEmbedProgress(os.Stderr)
	job.Watcher = progress
	began := time.Now()
	counts, err := bulk.Run(ctx, job)
	progress.close()
	if err != nil {
		return c.failure(ctx, counts, err)
	}
	return c.report(app.Stdout, embedSummary{
		Out: c.Out, Model: m.Name, Revision: m.Revision, DType: m.DType, Dimensions: job.Dim, Counts: counts,
		Resumed: progress.resumed, Seconds: time.Since(began).Seconds(), MaxTokens: m.Pipeline.MaxTokens(),
	})
}

// readUntil reads until ctx ends, even while it waits for more to come.
func readUntil(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { out.CloseWithError(context.Cause(ctx)) })
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	return out
}

// check finds what is wrong before a model is opened.
func (c *embedCommand) check() (bulk.Format, error) {
	format := bulk.Format(c.To)
	switch {
	case format != "":
	case c.Out == "-":
		format = bulk.JSONL
	default:
		format = bulk.FormatOf(c.Out)
	}
	switch {
	case format == "":
		return "", fmt.Errorf("--out %s: its name should end in .parquet, .jsonl or .npy; or give --output-format", c.Out)
	case c.Dimensions < 0:
		return "", fmt.Errorf("--dimensions is %d; it must be at least 1", c.Dimensions)
	case c.Checkpoint < 0:
		return "", fmt.Errorf("--checkpoint is %v; it must not be negative", c.Checkpoint)
	case c.JSON && c.Out == "-":
		return "", errors.New("--json: standard output has the vectors already")
	}
	return format, checkThreads(c.Threads)
}

// job is what the flags ask for, of a model that can do it.
func (c *embedCommand) job(ctx context.Context, m *assemble.Model, format bulk.Format) (bulk.Job, error) {
	o := encode.Options{
		Prepare: pipeline.PrepareOptions{Prompt: c.Prompt, PromptName: c.PromptKey, Truncate: true},
		Finish:  pipeline.FinishOptions{Normalize: m.Pipeline.Normalizes(), BeforeCut: true, Dimensions: c.Dimensions},
		Long:    pipeline.LongText(c.LongText),
	}
	if c.Normalize != nil {
		o.Finish.Normalize, o.Finish.BeforeCut = *c.Normalize, false
	}
	_, err := m.Pipeline.Prepare(pipeline.Input{Text: "a"}, o.Prepare)
	if err := errors.Join(err, m.Pipeline.CheckDimensions(c.Dimensions)); err != nil {
		return bulk.Job{}, fmt.Errorf("%w: %s: %w", errUsage, m.Name, err)
	}
	job := bulk.Job{
		Inputs: c.In, InputFormat: dataset.Format(c.From), Columns: dataset.Selection{Text: c.Text, Keep: c.Columns},
		Out: c.Out, Format: format, Overwrite: c.Overwrite, Restart: c.Restart,
		Encoder: m.Encoder(), Threads: m.Threads, Options: o, Dim: m.Pipeline.Dim(), Checkpoint: c.Checkpoint,
	}
	if c.Dimensions > 0 {
		job.Dim = c.Dimensions
	}
	identity, err := m.Identity(ctx)
	if err != nil {
		return bulk.Job{}, err
	}
	job.Origin = bulk.Origin{
		Model: identity, DType: m.DType, Dimensions: job.Dim, Normalize: o.Finish.Normalize, Prompt: c.prompt(m), LongText: c.LongText,
	}
	return job, nil
}

// prompt is the text that goes before every text.
func (c *embedCommand) prompt(m *assemble.Model) string {
	switch {
	case c.Prompt != "":
		return c.Prompt
	case c.PromptKey != "":
		return m.Pipeline.Prompts()[c.PromptKey]
	}
	return m.Pipeline.DefaultPrompt()
}

// failure says what is kept and how to go on.
func (c *embedCommand) failure(ctx context.Context, counts bulk.Counts, err error) error {
	switch {
	case errors.Is(err, bulk.ErrJob):
		return fmt.Errorf("%w: %w", errUsage, err)
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	if c.Out == "-" || counts.Rows == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s.partial keeps the first %s: the same command goes on after them", err, c.Out, english.Plural(int(counts.Rows), "row", ""))
}

// embedSummary is what came of a job.
type embedSummary struct {
	Out        string `json:"out"`
	Model      string `json:"model"`
	Revision   string `json:"revision,omitempty"`
	DType      string `json:"dtype"`
	Dimensions int    `json:"dimensions"`
	bulk.Counts
	Resumed   int64   `json:"resumed_rows"` // done by earlier runs
	Seconds   float64 `json:"seconds"`      // of this one
	MaxTokens int     `json:"max_tokens"`
}

// report prints the summary where it is no part of the data.
func (c *embedCommand) report(stdout io.Writer, s embedSummary) error {
	if c.JSON {
		return printJSON(stdout, s)
	}
	w := stdout
	if c.Out == "-" {
		w, s.Out = os.Stderr, "standard output"
	}
	fmt.Fprintf(w, "%s: %s, %s, %s", s.Out, english.Plural(int(s.Rows), "row", ""), english.Plural(s.Dimensions, "dimension", ""), english.Plural(int(s.Tokens), "token", ""))
	if s.Resumed > 0 {
		fmt.Fprintf(w, "; %s of earlier runs, the others", english.Plural(int(s.Resumed), "row", ""))
	}
	fmt.Fprintf(w, " in %.1f s (%.0f rows/s)\n", s.Seconds, float64(s.Rows-s.Resumed)/s.Seconds)
	if s.Truncated > 0 {
		fmt.Fprintf(w, "%s of more than %d tokens lost their end: --long-text chunk-mean embeds all of a text\n", english.Plural(int(s.Truncated), "text", ""), s.MaxTokens)
	}
	if s.Chunked > 0 {
		fmt.Fprintf(w, "%s of more than %d tokens embedded in chunks\n", english.Plural(int(s.Chunked), "text", ""), s.MaxTokens)
	}
	if s.Empty > 0 {
		fmt.Fprintf(w, "%s without a text, and so without a vector; the first: %s\n", english.Plural(int(s.Empty), "row", ""), s.FirstEmpty)
	}
	return nil
}

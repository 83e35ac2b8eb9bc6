package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/resident"
	"github.com/paceline/paceline/internal/serve"
	"github.com/paceline/paceline/internal/serve/triton"
	"github.com/paceline/paceline/internal/store"
)

// serveRepository are the settings of the triton profile, under Triton's names.
type serveRepository struct {
	Dir     string        `name:"model-repository" type:"existingdir" placeholder:"DIR" env:"PACELINE_MODEL_REPOSITORY" help:"Serve the models of a Triton model repository over KServe v2 (without it, the triton profile serves --model as tokenizer, sentence_transformer and embedding_pipeline)."`
	Control string        `name:"model-control-mode" enum:"none,poll,explicit" default:"none" env:"PACELINE_MODEL_CONTROL_MODE" help:"Load all models once (none), follow the repository's changes (poll), or do as --load-model and clients say (explicit)."`
	Poll    time.Duration `name:"repository-poll-interval" default:"15s" env:"PACELINE_REPOSITORY_POLL_INTERVAL" help:"How often poll looks (${default})."`
	PollSec int           `name:"repository-poll-secs" hidden:"" placeholder:"N" help:"The same in seconds."`
	Load    []string      `name:"load-model" placeholder:"NAME" env:"PACELINE_LOAD_MODEL" help:"With explicit: a model to load at the start; * is every one."`
	Strict  bool          `env:"PACELINE_STRICT" help:"Take a setting that cannot be kept, such as KIND_GPU, for an error instead of a warning."`
}

// tritonProfile is the profile's name, which --model-repository implies.
const tritonProfile = "triton"

// check finds flags that do not go together.
func (r *serveRepository) check(profile string) error {
	switch {
	case r.Dir != "" && profile != tritonProfile:
		return fmt.Errorf("--model-repository belongs to --profile triton, not to %q", profile)
	case len(r.Load) > 0 && r.Control != string(triton.ControlExplicit):
		return errors.New("--load-model needs --model-control-mode=explicit")
	case r.interval() <= 0:
		return errors.New("--repository-poll-interval must be more than 0")
	}
	return nil
}

func (r *serveRepository) interval() time.Duration {
	if r.PollSec > 0 {
		return time.Duration(r.PollSec) * time.Second
	}
	return r.Poll
}

// extend adds KServe v2 to a server.
func (c *serveCommand) extend(server *serve.Server, p serve.Profile) *triton.Server {
	t := triton.New(triton.Options{
		Version: version(), Admission: server, Queue: batch.Options{}, Log: c.logger(), Logging: c.lines, Message: int(p.Limits.Body),
		Control: triton.Control(c.Repository.Control), Load: c.Repository.Load, Poll: c.Repository.interval(), Strict: c.Repository.Strict,
	})
	server.Extend(serve.Extension{
		Name: "kserve", OpenAPI: triton.OpenAPI, Prefix: "/v2", Open: []string{"/v2/health/live", "/v2/health/ready"}, Handler: t.Handler(), Metrics: t,
		Alone: c.Repository.Dir != "", Ready: t.Ready, Drain: t.Drain,
	})
	return t
}

// startModel serves the models that embedding services for Triton are usually
// built of, on the server's own model.
func startModel(ctx context.Context, t *triton.Server, m *assemble.Model) error {
	opened := &triton.Opened{Pipeline: m.Pipeline, Runner: m.Engine, Width: m.Spec.Dim(), Close: func() error { return nil }}
	return t.Start(ctx, triton.Source{
		Repository: modelrepo.Preset{Model: m.Name, Dim: m.Pipeline.Dim()},
		Open: func(_ context.Context, name string) (*triton.Opened, error) {
			if name != m.Name {
				return nil, fmt.Errorf("model %q: this server has %q alone; serve several from a --model-repository", name, m.Name)
			}
			return opened, nil
		},
	})
}

// startRepository serves the models of --model-repository.
func (c *serveCommand) startRepository(ctx context.Context, t *triton.Server) error {
	models := resident.New[modelFiles, *assemble.Model](resident.Options{Closed: func(key any, err error) {
		if err != nil {
			c.logger().Error("closing a model", "model", key, "error", err)
		}
	}})
	return t.Start(ctx, triton.Source{
		Repository: modelrepo.Folder{FS: os.DirFS(c.Repository.Dir)}, Root: c.Repository.Dir,
		Open: func(ctx context.Context, name string) (*triton.Opened, error) { return c.share(ctx, models, name) },
	})
}

// modelFiles is a model as its files are: a folder that has changed is another.
type modelFiles struct {
	name     string
	modified time.Time // of a folder; zero for a name
}

// share opens a model once for all configs that name it: a tokenizer and an
// encoder of one model share its memory.
func (c *serveCommand) share(ctx context.Context, models *resident.Set[modelFiles, *assemble.Model], name string) (*triton.Opened, error) {
	files := modelFiles{name: name}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		if files.modified, err = (modelrepo.Folder{FS: os.DirFS(name)}).Modified("."); err != nil {
			return nil, err
		}
	}
	m, release, err := models.Get(ctx, files, resident.Opening[*assemble.Model]{Open: func(ctx context.Context) (*assemble.Model, error) {
		return assemble.Open(ctx, store.New(store.FromEnvironment()), name, assemble.Options{DType: c.DType, Threads: c.Threads, Device: c.Device})
	}})
	if err != nil {
		return nil, err
	}
	return &triton.Opened{Pipeline: m.Pipeline, Runner: m.Engine, Width: m.Spec.Dim(), Close: func() error { release(); return nil }}, nil
}

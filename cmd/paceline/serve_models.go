package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/serve"
	"github.com/paceline/paceline/internal/serve/triton"
	"github.com/paceline/paceline/internal/store"
)

// serveModels says what is served, and when each is in memory.
type serveModels struct {
	Models   []string `name:"model" default:"all-MiniLM-L6-v2" aliases:"model-id" placeholder:"NAME|DIR" env:"PACELINE_MODEL,MODEL_ID" help:"Model to serve: a name, org/name, org/name@revision, or a folder in Hugging Face layout (${default}). Given several times, requests choose by their model field; the first answers those that name none."`
	Revision string   `placeholder:"REV" env:"PACELINE_REVISION,REVISION" help:"Revision of the model, as after @ in its name."`
	ServedAs []string `name:"served-model-name" placeholder:"NAME" env:"PACELINE_SERVED_MODEL_NAME,SERVED_MODEL_NAME" help:"Name under which the model is served (the model's own); with several models one for each, in their order."`
	Lazy     bool     `env:"PACELINE_LAZY" help:"Open a model when the first request asks for it, not at the start."`
	Memory   byteSize `name:"max-model-memory" placeholder:"SIZE" env:"PACELINE_MAX_MODEL_MEMORY" help:"Memory that models may take together, such as 4GB. The one used least recently is closed when another needs the room, and opened again when it is asked for; one with requests in progress never is. (No limit.)"`
}

// byteSize is a number of bytes, as a person writes it: 4GB, 512MiB.
type byteSize int64

// UnmarshalText reads decimal and binary units.
func (b *byteSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > 1<<62 || n == 0 {
		return fmt.Errorf("%q is not a size such as 4GB or 512MiB", text)
	}
	*b = byteSize(n)
	return nil
}

// check finds flags that do not go together.
func (m *serveModels) check(profile string, repository bool) error {
	several := len(m.Models) > 1
	switch {
	case repository && (m.Lazy || m.Memory > 0):
		return errors.New("--lazy and --max-model-memory are for --model, not for --model-repository: there --model-control-mode says what is loaded")
	case profile == tritonProfile && (several || m.Lazy || m.Memory > 0):
		return errors.New("--profile triton serves one --model, from the start to the end: serve several from a --model-repository")
	case several && m.Revision != "":
		return errors.New("--revision is for one model: with several give each its own, as org/name@revision")
	case len(m.ServedAs) > 0 && len(m.ServedAs) != len(m.Models):
		return fmt.Errorf("--served-model-name names %d models and --model %d: give one name for each, in their order", len(m.ServedAs), len(m.Models))
	}
	return nil
}

// offer hands the server the models, opened unless they are to be lazy, and
// returns what the log says of them.
func (c *serveCommand) offer(ctx context.Context, server *serve.Server) ([]any, error) {
	from := store.New(store.FromEnvironment())
	names, sources := []string{}, []serve.Source{}
	for i, model := range c.Serving.Models {
		source, err := c.source(from, model, c.Serving.servedAs(i))
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
		names = append(names, source.Name)
	}
	if err := server.Offer(ctx, c.Serving.Lazy, sources...); err != nil {
		return nil, err
	}
	attributes := []any{"model", names[0]}
	if len(names) > 1 {
		attributes = append(attributes, "models", strings.Join(names, ","))
	}
	return append(attributes, "lazy", c.Serving.Lazy, "threads", c.Threads), nil
}

func (m *serveModels) servedAs(i int) string {
	if len(m.ServedAs) == 0 {
		return ""
	}
	return m.ServedAs[i]
}

// source is one model, under the name of its repository unless it is given one.
func (c *serveCommand) source(from *store.Store, model, servedAs string) (serve.Source, error) {
	name := model
	if info, err := os.Stat(model); err != nil || !info.IsDir() {
		ref, err := store.ParseName(model)
		if err != nil {
			return serve.Source{}, err
		}
		name = ref.Name
	}
	if servedAs == "" {
		servedAs = name
	}
	return serve.Source{Name: servedAs, Aliases: []string{model}, Repository: name, Open: func(ctx context.Context) (serve.Model, error) {
		m, err := c.open(ctx, from, model)
		if err != nil {
			return serve.Model{}, err
		}
		served := servedModel(m, servedAs, model)
		served.Close = m.Close
		return served, nil
	}}, nil
}

// open opens a model as the flags say.
func (c *serveCommand) open(ctx context.Context, from *store.Store, name string) (*assemble.Model, error) {
	if c.Serving.Revision != "" && !strings.Contains(name, "@") {
		name += "@" + c.Serving.Revision
	}
	return assemble.Open(ctx, from, name, assemble.Options{DType: c.DType, Threads: c.Threads, Device: c.Device})
}

// servedModel is what the server needs of a model.
func servedModel(m *assemble.Model, name string, aliases ...string) serve.Model {
	if name == "" {
		name = m.Name
	}
	return serve.Model{
		Name: name, Aliases: aliases, Repository: m.Name, Revision: m.Revision,
		DType: m.DType, CPULevel: m.CPULevel, Device: m.Device, Threads: m.Threads,
		Width: m.Spec.Dim(), Hidden: m.Spec.Hidden, Pipeline: m.Pipeline, Runner: m.Engine, Memory: m.Bytes(),
	}
}

// startOne serves one model from the start to the end, and where there is an
// inference server its model too.
func (c *serveCommand) startOne(ctx context.Context, server *serve.Server, inference *triton.Server) (started, error) {
	model := c.Serving.Models[0]
	m, err := c.open(ctx, store.New(store.FromEnvironment()), model)
	if err != nil {
		return started{}, err
	}
	if err := server.Load(servedModel(m, c.Serving.servedAs(0), model)); err != nil {
		return started{}, errors.Join(err, m.Close())
	}
	if inference != nil {
		if err := startModel(ctx, inference, m); err != nil {
			return started{}, errors.Join(err, m.Close())
		}
	}
	return started{[]any{"model", m.Name, "revision", m.Revision, "dtype", m.DType, "device", m.Device, "cpu_level", m.CPULevel, "threads", m.Threads},
		func() { m.Close() }}, nil
}

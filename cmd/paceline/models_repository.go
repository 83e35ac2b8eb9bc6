package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/modelrepo"
)

// modelsRepository is `paceline models repository`.
type modelsRepository struct {
	From string `required:"" placeholder:"NAME|DIR" help:"Model behind the repository: a name, org/name, org/name@revision, or a folder in Hugging Face layout."`
	As   string `placeholder:"NAME|DIR" help:"How the repository names it (as --from): for a folder that lies elsewhere where the repository is served."`
	Dir  string `arg:"" help:"Folder of the repository; made if there is none."`
}

// Run writes the three models of an embedding service.
func (c *modelsRepository) Run(ctx context.Context, app *kong.Kong) error {
	m, err := assemble.Open(ctx, openStore(), c.From, assemble.Options{DType: "float32", Threads: 1})
	if err != nil {
		return err
	}
	dim := m.Pipeline.Dim()
	if err := m.Close(); err != nil {
		return err
	}
	if err := (modelrepo.Preset{Model: cmp.Or(c.As, c.From), Dim: dim}).Write(c.Dir); err != nil {
		return err
	}
	for _, name := range modelrepo.PresetModels {
		fmt.Fprintln(app.Stdout, name)
	}
	fmt.Fprintf(app.Stderr, "Serve them with: paceline serve --model-repository %s\n", c.Dir)
	return nil
}

package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/paceline/paceline/internal/store/pickle"
)

// modelsConvert is `paceline models convert`.
type modelsConvert struct {
	Dir string `arg:"" type:"existingdir" help:"Folder of a repository that has pytorch_model.bin."`
}

// Run prints the files it has written.
func (c *modelsConvert) Run(ctx context.Context, app *kong.Kong) error {
	written, err := pickle.Convert(ctx, c.Dir)
	for _, file := range written {
		fmt.Fprintln(app.Stdout, file)
	}
	return err
}

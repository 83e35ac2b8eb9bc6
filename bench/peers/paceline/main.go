// Command paceline is the Paceline side of the comparison with other engines. It embeds
// through the library's face; PACELINE_CPU forces a lower CPU level, as everywhere.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/paceline/paceline"
	"github.com/paceline/paceline/bench/peers/peer"
	"github.com/paceline/paceline/internal/kernel"
)

func main() {
	if err := peer.Serve(context.Background(), &engine{}, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "paceline peer:", err)
		os.Exit(1)
	}
}

type engine struct{ model *paceline.Model }

// Open tells which kernels run: a level that disagrees with the reference is left for
// a lower one, and what "auto" takes depends on the level.
func (e *engine) Open(ctx context.Context, model string, threads int, dtype string) (string, error) {
	dtype = cmp.Or(dtype, "float32")
	kernels, err := kernel.Open("")
	if err != nil {
		return "", err
	}
	if e.model, err = paceline.Open(ctx, model, paceline.WithThreads(threads), paceline.WithDType(dtype)); err != nil {
		return "", err
	}
	runs := string(kernels.Level())
	if dtype == "auto" {
		runs += " " + string(kernels.Best())
	}
	return fmt.Sprintf("paceline %s (%s)", dtype, runs), nil
}

func (e *engine) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e.model.Embed(ctx, texts, paceline.WithNormalize(true))
}

func (e *engine) Close() error {
	if e.model == nil {
		return nil
	}
	return e.model.Close()
}

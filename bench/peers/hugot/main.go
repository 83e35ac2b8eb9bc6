// Command hugot is hugot's side of the comparison: its pure Go backend, float32. It is a
// module of its own, so that nothing of Paceline depends on it. Its arguments are a Python
// and the program that writes the model as that backend reads it, ../hugot_model.py.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"

	"github.com/knights-analytics/hugot"
	"github.com/knights-analytics/hugot/pipelines"

	"github.com/paceline/paceline/bench/peers/peer"
)

const module = "github.com/knights-analytics/hugot"

func main() {
	if err := peer.Serve(context.Background(), &engine{export: os.Args[1:]}, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hugot peer:", err)
		os.Exit(1)
	}
}

type engine struct {
	export   []string
	session  *hugot.Session
	pipeline *pipelines.FeatureExtractionPipeline
}

// Open takes as many threads as GOMAXPROCS says: the backend has no other setting.
func (e *engine) Open(ctx context.Context, model string, _ int, _ string) (string, error) {
	folder, err := os.MkdirTemp("", "hugot")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	write := exec.CommandContext(ctx, e.export[0], append(e.export[1:], model, folder)...)
	write.Stderr = os.Stderr
	if err := write.Run(); err != nil {
		return "", fmt.Errorf("writing the model: %w", err)
	}
	if e.session, err = hugot.NewGoSession(); err != nil {
		return "", err
	}
	e.pipeline, err = hugot.NewPipeline(e.session, hugot.FeatureExtractionConfig{
		ModelPath: folder, OnnxFilename: "model.onnx", Name: "embed",
		Options: []hugot.FeatureExtractionOption{pipelines.WithNormalization()},
	})
	return "hugot " + version() + " float32", err
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return ""
}

func (e *engine) Embed(_ context.Context, texts []string) ([][]float32, error) {
	result, err := e.pipeline.RunPipeline(texts)
	if err != nil {
		return nil, err
	}
	return result.Embeddings, nil
}

func (e *engine) Close() error {
	if e.session == nil {
		return nil
	}
	return e.session.Destroy()
}

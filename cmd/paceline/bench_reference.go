package main

import (
	"context"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// Cosines that a stack's vectors must reach beside the float32 reference.
const (
	exactCosine     = 0.999
	quantizedCosine = 0.99
)

// reference opens the model in this process for the vectors of the probe texts,
// the token counts and what the manifest says of it, and closes it again before
// anything is measured.
func (c *benchCommand) reference(ctx context.Context, config *bench.Config) error {
	dtype, err := assemble.DType(assemble.Options{DType: c.DType}) // the profiles'
	if err != nil {
		return err
	}
	m, err := assemble.Open(ctx, openStore(), c.Model, assemble.Options{DType: "float32", Threads: c.Threads})
	if err != nil {
		return err
	}
	defer m.Close()
	config.Probes.MinCosine = exactCosine
	if dtype == "int8" {
		config.Probes.MinCosine = quantizedCosine
	}
	if config.Probes.Reference, err = embedReference(ctx, m, config.Probes.Texts); err != nil {
		return err
	}
	if config.Data, err = countTokens(m.Pipeline, config.Data.Texts); err != nil {
		return err
	}
	for length, texts := range config.ByLength {
		if config.ByLength[length], err = countTokens(m.Pipeline, texts.Texts); err != nil {
			return err
		}
	}
	config.Manifest.Data.MeanTokens = meanTokens(config.Data.Tokens)
	config.Manifest.Machine.CPULevel = m.CPULevel
	config.Manifest.Model = record.Model{Name: m.Name, Revision: m.Revision, Dim: m.Pipeline.Dim(), MaxTokens: m.Pipeline.MaxTokens(), DType: dtype}
	config.Manifest.Model.Files, err = m.Files(ctx)
	return err
}

// embedReference runs the texts as one batch and normalises the vectors.
func embedReference(ctx context.Context, m *assemble.Model, texts []string) ([][]float32, error) {
	var batch model.Batch
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		p, err := m.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true})
		if err != nil {
			return nil, err
		}
		vectors[i] = make([]float32, m.Spec.Dim())
		batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: vectors[i]})
	}
	if err := m.Engine.Run(ctx, &batch); err != nil {
		return nil, err
	}
	for i := range vectors {
		v, err := m.Pipeline.Finish(vectors[i], pipeline.FinishOptions{Normalize: true})
		if err != nil {
			return nil, err
		}
		vectors[i] = v
	}
	return vectors, nil
}

func countTokens(p *pipeline.Pipeline, texts []string) (bench.Texts, error) {
	counted := bench.Texts{Texts: texts, Tokens: make([]int32, len(texts))}
	for i, text := range texts {
		prepared, err := p.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true})
		if err != nil {
			return bench.Texts{}, err
		}
		counted.Tokens[i] = int32(len(prepared.IDs))
	}
	return counted, nil
}

func meanTokens(tokens []int32) float64 {
	sum := 0.0
	for _, n := range tokens {
		sum += float64(n)
	}
	return sum / float64(len(tokens))
}

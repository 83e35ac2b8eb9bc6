package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/similarity"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/store/safetensors"
)

// stored are the references of well-known models (test/fixtures/references.py).
//
//go:embed reference/*.json
var stored embed.FS

// reference is what sentence-transformers makes of some texts, in float32.
type reference struct {
	Model      string      `json:"model"`          // "" for one of the user's
	Weights    string      `json:"weights_sha256"` // of one copy; the hub's may differ in tensors that nothing reads
	Texts      []string    `json:"texts"`
	Embeddings [][]float32 `json:"embeddings"`
}

// agreement says how near the vectors of a model are to their reference, and how
// fast they are made.
type agreement struct {
	Texts      int     `json:"texts"`
	Cosine     float64 `json:"min_cosine"`
	Difference float64 `json:"max_difference"`
	Wanted     float64 `json:"wanted_cosine"`
	Rate       float64 `json:"embeddings_per_second"`
	RateTokens int     `json:"tokens_per_embedding"`
	DType      string  `json:"dtype"`
	CPULevel   string  `json:"cpu_level"`
	Threads    int     `json:"threads"`
}

// reference is the one that was given, or that of these weights; nil if there is
// none.
func (c *modelsVerify) reference(files *store.Verification) (*reference, error) {
	if c.Reference != "" {
		data, err := os.ReadFile(c.Reference)
		if err != nil {
			return nil, err
		}
		r, err := parseReference(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Reference, err)
		}
		return r, nil
	}
	entries, err := stored.ReadDir("reference")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		data, err := stored.ReadFile("reference/" + entry.Name())
		if err != nil {
			return nil, err
		}
		r, err := parseReference(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		if r.isOf(files) {
			return r, nil
		}
	}
	return nil, nil
}

// isOf tells whether a repository is the one that the reference was made of: by its
// name on the hub, or wherever it lies by its weights.
func (r *reference) isOf(files *store.Verification) bool {
	if files.Revision != "" && path.Base(files.Name) == r.Model {
		return true
	}
	return slices.ContainsFunc(files.Files, func(f store.FileCheck) bool {
		return path.Base(f.Path) == safetensors.SingleFile && f.Hash == r.Weights
	})
}

func parseReference(data []byte) (*reference, error) {
	r := &reference{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if len(r.Texts) == 0 || len(r.Texts) != len(r.Embeddings) {
		return nil, fmt.Errorf("%s and %s: it needs as many of the one as of the other", english.Plural(len(r.Texts), "text", ""), english.Plural(len(r.Embeddings), "embedding", ""))
	}
	return r, nil
}

// check embeds the texts, and then measures the speed.
func (r *reference) check(ctx context.Context, c *modelsVerify) (*agreement, error) {
	m, err := assemble.Open(ctx, openStore(), c.Name, assemble.Options{DType: c.DType, Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	a := &agreement{Texts: len(r.Texts), Cosine: 1, Wanted: wantedCosine(m.DType), DType: m.DType, CPULevel: m.CPULevel, Threads: m.Threads}
	vectors, err := m.Encoder().Texts(ctx, r.Texts, encode.Options{
		Long:   pipeline.LongTruncate,
		Finish: pipeline.FinishOptions{Normalize: m.Pipeline.Normalizes(), BeforeCut: true},
	})
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		if len(v) != len(r.Embeddings[i]) {
			return nil, fmt.Errorf("text %d: the model's vector has %d values and the reference %d", i, len(v), len(r.Embeddings[i]))
		}
		a.compare(v, r.Embeddings[i])
	}
	return a, a.measure(ctx, m)
}

func (a *agreement) compare(v, want []float32) {
	a.Cosine = min(a.Cosine, float64(similarity.Cosine(v, want)))
	for k, x := range v {
		a.Difference = max(a.Difference, math.Abs(float64(x)-float64(want[k])))
	}
}

// What the speed is measured with: a batch of short texts, for about a second.
const (
	speedTexts = 64
	speedTime  = time.Second
	speedText  = "how much does it cost to rent a house by the sea"
)

func (a *agreement) measure(ctx context.Context, m *assemble.Model) error {
	p, err := m.Pipeline.Prepare(pipeline.Input{Text: speedText}, pipeline.PrepareOptions{Truncate: true})
	if err != nil {
		return err
	}
	var batch model.Batch
	for range speedTexts {
		batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: make([]float32, m.Spec.Dim())})
	}
	if err := m.Engine.Run(ctx, &batch); err != nil { // the first run touches memory that later ones have
		return err
	}
	done, began := 0, time.Now()
	for time.Since(began) < speedTime {
		if err := m.Engine.Run(ctx, &batch); err != nil {
			return err
		}
		done += speedTexts
	}
	a.Rate, a.RateTokens = float64(done)/time.Since(began).Seconds(), len(p.IDs)
	return nil
}

// wantedCosine is what each arithmetic promises (docs/models.md).
func wantedCosine(dtype string) float64 {
	switch dtype {
	case "float32":
		return 0.99999
	case "int8":
		return quantizedCosine
	}
	return exactCosine
}

func (a *agreement) agrees() bool { return a.Cosine >= a.Wanted }

func (a *agreement) verdict() string {
	if a.agrees() {
		return "agrees"
	}
	return "disagrees"
}

func (a *agreement) failure(name string) error {
	if a.agrees() {
		return nil
	}
	return fmt.Errorf("%s: a vector has a cosine of %.6f to its reference; %g is the least in %s", name, a.Cosine, a.Wanted, a.DType)
}

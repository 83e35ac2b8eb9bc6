package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/bulk"
	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// BenchmarkEmbedOfEngine holds `paceline embed` to the engine alone, which is given the
// same texts as tokens: what share of its rate is left from file to file. The two run in
// turns.
func BenchmarkEmbedOfEngine(b *testing.B) {
	dir := os.Getenv("PACELINE_TEST_MODEL")
	if dir == "" {
		b.Skip("PACELINE_TEST_MODEL does not name a folder with all-MiniLM-L6-v2")
	}
	for _, format := range []bulk.Format{bulk.Parquet, bulk.JSONL, bulk.NPY} {
		b.Run(string(format), func(b *testing.B) { embedOfEngine(b, dir, format) })
	}
}

func embedOfEngine(b *testing.B, dir string, format bulk.Format) {
	m, err := assemble.Open(b.Context(), openStore(), dir, assemble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	texts := dataset.Synth(42, 1024).Texts
	var batch model.Batch
	var lines strings.Builder
	for _, text := range texts {
		p, err := m.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true})
		if err != nil {
			b.Fatal(err)
		}
		batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: make([]float32, m.Spec.Dim())})
		lines.WriteString(text + "\n")
	}
	in := filepath.Join(b.TempDir(), "in.txt")
	if err := os.WriteFile(in, []byte(lines.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	c := embedCommand{In: []string{in}, Out: filepath.Join(b.TempDir(), "out"), LongText: "truncate", Overwrite: true, Checkpoint: time.Minute}
	job, err := c.job(b.Context(), m, format)
	if err != nil {
		b.Fatal(err)
	}
	var alone, files time.Duration
	for b.Loop() {
		began := time.Now()
		if err := m.Engine.Run(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
		job.Watcher = newEmbedProgress(os.Stderr)
		between := time.Now()
		if counts, err := bulk.Run(b.Context(), job); err != nil || counts.Rows != int64(len(texts)) {
			b.Fatal(fmt.Sprint(counts), err)
		}
		alone, files = alone+between.Sub(began), files+time.Since(between)
	}
	b.ReportMetric(100*alone.Seconds()/files.Seconds(), "%engine")
	b.ReportMetric(float64(b.N*len(texts))/files.Seconds(), "texts/s")
}

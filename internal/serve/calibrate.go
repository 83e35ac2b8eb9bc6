package serve

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/quantize"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// MaxCalibration is how many texts Options.Calibration may have: of 768 values,
// their vectors take 30 MiB as long as the model is open.
const MaxCalibration = 10_000

const calibrationStep = 256 // texts at a time

// calibration is a model's own vectors for texts like those to come: from them
// int8 and uint8 get their ranges, as from quantize_embeddings'
// calibration_embeddings.
type calibration struct {
	pipeline *pipeline.Pipeline
	vectors  [][]float32 // whole, and not scaled
	ranges   *quantize.Ranges
}

// calibrate embeds the server's texts for that, where it has any and the model
// embeds.
func (s *Server) calibrate(ctx context.Context, h *hosted) error {
	texts := s.options.Calibration
	if len(texts) == 0 || h.info.Head != dialect.Embedding {
		return nil
	}
	began := time.Now()
	s.log.Info("calibrating for int8 and uint8", "model", h.Name, "texts", len(texts))
	c := &calibration{pipeline: h.Pipeline}
	for part := range slices.Chunk(texts, calibrationStep) {
		r := &dialect.Request{Inputs: dialect.TextInputs(part), Truncate: dialect.Yes, Normalize: dialect.No, Dimensions: h.Width, Direct: true}
		j := newJob(h, r)
		if err := j.run(ctx); err != nil {
			return fmt.Errorf("calibration of %s: %w", h.Name, err)
		}
		for _, v := range j.result.Vectors {
			c.vectors = append(c.vectors, slices.Clone(v))
		}
		j.release()
	}
	own, err := c.compute(h.Pipeline.Dim())
	if err != nil {
		return fmt.Errorf("calibration of %s: %w", h.Name, err)
	}
	c.ranges, h.calibration, h.info.Calibrated = own, c, true
	s.log.Info("calibrated", "model", h.Name, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// rangesFor are the ranges of unit vectors of that many dimensions.
func (c *calibration) rangesFor(dim int) (*quantize.Ranges, error) {
	if dim == c.ranges.Dim() {
		return c.ranges, nil
	}
	return c.compute(dim)
}

func (c *calibration) compute(dim int) (*quantize.Ranges, error) {
	units := make([][]float32, len(c.vectors))
	for i, v := range c.vectors {
		unit, err := c.pipeline.Finish(slices.Clone(v), pipeline.FinishOptions{Normalize: true, Dimensions: dim})
		if err != nil {
			return nil, inputError(err, i, len(units))
		}
		units[i] = unit
	}
	ranges, err := quantize.RangesOf(units)
	return &ranges, err
}

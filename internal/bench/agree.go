package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// agree has every stack embed the probe texts and compares its vectors with the
// reference: a stack that computes something else is not to be ranked.
func (b *bench) agree(ctx context.Context) {
	for _, s := range b.alive(0) {
		b.Watcher.Stage("comparing the vectors of " + s.Name + " with the reference")
		var vectors [][]float32
		err := b.first(ctx, s, func(ctx context.Context) (err error) {
			vectors, err = embedAll(ctx, s, b.Probes.Texts)
			return err
		})
		if err != nil {
			b.lose(ctx, s, fmt.Errorf("%s cannot embed the probe texts: %w", s.Name, err))
			continue
		}
		s.record.Agreement = b.Probes.compare(vectors)
		if a := s.record.Agreement; !a.Comparable {
			b.warn(record.Warning{Stack: s.Name, Code: "not_comparable", Text: a.Reason,
				Advice: "Let it serve the same model with the same pooling, truncation and normalisation; its figures are in cells.csv and results.json alone."})
		}
	}
}

// probesARequest is a batch that every stack takes.
const probesARequest = 8

func embedAll(ctx context.Context, s *stack, texts []string) (vectors [][]float32, err error) {
	for len(texts) > 0 {
		part := texts[:min(probesARequest, len(texts))]
		v, err := s.driver.Embed(ctx, part)
		if err != nil {
			return nil, err
		}
		vectors = append(vectors, v...)
		texts = texts[len(part):]
	}
	return vectors, nil
}

// compare judges vectors of the probe texts. Cosine does not see the length of a
// vector, so that is looked at too: the reference is normalised.
func (p Probes) compare(vectors [][]float32) record.Agreement {
	a := record.Agreement{Texts: len(p.Reference), MinCosine: 1}
	if len(p.Reference) == 0 {
		return record.Agreement{Reason: "there were no reference vectors to compare with"}
	}
	if have, want := len(vectors[0]), len(p.Reference[0]); have != want {
		return record.Agreement{Texts: a.Texts, Reason: fmt.Sprintf("vectors of dimension %d, the reference has %d: another model", have, want)}
	}
	length := 1.0
	for i, reference := range p.Reference {
		c := stat.Cosine(vectors[i], reference)
		if math.IsNaN(c) {
			c = 0 // a vector of length 0
		}
		a.Cosines = append(a.Cosines, c)
		a.MeanCosine += c / float64(len(p.Reference))
		a.MinCosine = min(a.MinCosine, c)
		if l := norm(vectors[i]); math.Abs(l-1) > math.Abs(length-1) {
			length = l
		}
	}
	switch {
	case a.MinCosine < p.MinCosine:
		a.Reason = fmt.Sprintf("least cosine to the reference %.4f over %s, %g is needed: another model, pooling or truncation", a.MinCosine, english.Plural(a.Texts, "text", ""), p.MinCosine)
	case math.Abs(length-1) > 0.01:
		a.Reason = fmt.Sprintf("a vector of length %.3f, the reference is normalised to 1", length)
	default:
		a.Comparable = true
	}
	return a
}

func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

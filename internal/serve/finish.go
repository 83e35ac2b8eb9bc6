package serve

import (
	"math"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// finish makes the engine's outputs the result.
func (j *job) finish() error {
	switch j.request.Want {
	case dialect.TokenVectors:
		j.result.TokenVectors = make([][][]float32, len(j.items))
		for i := range j.items {
			j.result.TokenVectors[i] = rows(j.items[i].Out.Tokens, j.model.Hidden)
			if j.request.Normalize == dialect.Yes {
				toUnitLength(j.result.TokenVectors[i])
			}
		}
		return nil
	case dialect.Scores:
		return j.finishScores()
	default:
		return j.finishVectors()
	}
}

func (j *job) finishVectors() error {
	o := pipeline.FinishOptions{
		Normalize:  j.request.Normalize.Or(j.model.Pipeline.Normalizes()),
		BeforeCut:  j.request.Normalize == dialect.Unset,
		Dimensions: j.request.Dimensions,
	}
	n := len(j.request.Inputs)
	j.result.Vectors = make([][]float32, n)
	for i := range n {
		v, err := j.model.Pipeline.Finish(j.vector(i), o)
		if err != nil {
			return inputError(err, i, n)
		}
		j.result.Vectors[i] = v
	}
	return j.findRanges()
}

// findRanges gives the result the calibration's ranges if it is to have them.
func (j *job) findRanges() (err error) {
	if c := j.model.calibration; c != nil && j.request.Calibrated {
		j.result.Ranges, err = c.rangesFor(j.result.Dim())
	}
	return err
}

func rows(flat []float32, width int) [][]float32 {
	list := make([][]float32, len(flat)/width)
	for i := range list {
		list[i] = flat[i*width:][:width]
	}
	return list
}

func toUnitLength(vectors [][]float32) {
	for _, v := range vectors {
		var squares float64
		for _, x := range v {
			squares += float64(x) * float64(x)
		}
		inverse := 1 / max(math.Sqrt(squares), 1e-12)
		for i, x := range v {
			v[i] = float32(float64(x) * inverse)
		}
	}
}

func (j *job) finishScores() error {
	j.result.Scores = make([][]float32, len(j.items))
	for i := range j.items {
		scores := j.items[i].Out.Logits
		for _, x := range scores {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return inputError(pipeline.ErrNotFinite, i, len(j.items))
			}
		}
		if err := j.activate(scores); err != nil {
			return inputError(err, i, len(j.items))
		}
		j.result.Scores[i] = scores
	}
	return nil
}

// activate turns logits into scores, in place.
func (j *job) activate(logits []float32) error {
	switch p := j.model.Pipeline; {
	case j.request.Activation == dialect.Logits:
	case len(logits) == 1 && j.request.Activation == dialect.Probability:
		logits[0] = float32(1 / (1 + math.Exp(-float64(logits[0]))))
	case j.request.Activation == dialect.ModelsOwn && (len(logits) == 1 || p.NamesActivation()):
		return p.Score(logits)
	default:
		softmax(logits)
	}
	return nil
}

func softmax(x []float32) {
	highest := x[0]
	for _, v := range x {
		highest = max(highest, v)
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(float64(v - highest))
	}
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v-highest)) / sum)
	}
}

package stat

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// expected is what scipy and pymannkendall say; test/statistics/expected.py
// writes it.
type expected struct {
	MinSamples []struct {
		P    float64
		Want int
	} `json:"min_samples"`
	Percentile []struct {
		Values  []float64
		P, Want float64
	}
	UpperBound []struct {
		N, Over int
		P       float64
	} `json:"upper_bound"`
	Share []struct {
		Over, N     int
		P           float64
		Met, Missed float64
	}
	Median []struct {
		Values []float64
		Want   float64
		Lo, Hi *float64
	}
	MannWhitney []struct {
		A, B []float64
		U, P float64
	} `json:"mann_whitney"`
	Ratio []struct {
		A, B         []float64
		Want, Lo, Hi float64
	}
	Trend []struct {
		Name              string
		Values            []float64
		Slope, Correction float64
		P                 *float64
	}
	Spearman []struct {
		A, B []float64
		Want float64
	}
}

func readExpected(t *testing.T) expected {
	t.Helper()
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want expected
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func TestPercentilesAgainstScipy(t *testing.T) {
	t.Parallel()
	want := readExpected(t)
	for _, c := range want.MinSamples {
		if got := MinSamples(c.P); got != c.Want {
			t.Errorf("MinSamples(%v) = %d, want %d", c.P, got, c.Want)
		}
	}
	for _, c := range want.Percentile {
		if got := Percentile(slices.Sorted(slices.Values(c.Values)), c.P); got != c.Want {
			t.Errorf("Percentile of %d values, %v = %v, want %v", len(c.Values), c.P, got, c.Want)
		}
	}
	for _, c := range want.UpperBound {
		got, ok := UpperBound(oneTo(c.N), c.P)
		if !ok || got != float64(c.N-c.Over+1) {
			t.Errorf("UpperBound of 1..%d, %v = %v %v, want %d values from the top", c.N, c.P, got, ok, c.Over)
		}
	}
}

func TestSharesAgainstScipy(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).Share {
		met, missed := ShareConfidence(c.Over, c.N, c.P), ShareMissed(c.Over, c.N, c.P)
		if math.Abs(met-c.Met) > 1e-9 || math.Abs(missed-c.Missed) > 1e-9 {
			t.Errorf("%d of %d beyond, p%g: met %v, missed %v, want %v, %v", c.Over, c.N, 100*c.P, met, missed, c.Met, c.Missed)
		}
		if allowed := AllowedOver(c.N, c.P); (c.Over <= allowed) != (c.Met >= PercentileConfidence) {
			t.Errorf("%d of %d beyond, p%g: %d are allowed", c.Over, c.N, 100*c.P, allowed)
		}
	}
}

func TestMedianAgainstScipy(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).Median {
		got := Median(c.Values)
		if got.Value != c.Want {
			t.Errorf("median of %v = %v, want %v", c.Values, got.Value, c.Want)
		}
		if open := c.Lo == nil || c.Hi == nil; open != (got.Level < Confidence) {
			t.Errorf("median of %d values: level %v, but scipy's interval is open: %v", got.N, got.Level, open)
		} else if !open && (got.Lo != *c.Lo || got.Hi != *c.Hi) {
			t.Errorf("median of %v: interval %v to %v, want %v to %v", c.Values, got.Lo, got.Hi, *c.Lo, *c.Hi)
		}
	}
}

func TestMannWhitneyAgainstScipy(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).MannWhitney {
		u, p := MannWhitney(c.A, c.B)
		if u != c.U || !near(p, c.P) {
			t.Errorf("MannWhitney(%v, %v) = %v, %v, want %v, %v", c.A, c.B, u, p, c.U, c.P)
		}
	}
}

func TestRatioAgainstScipy(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).Ratio {
		got := Ratio(c.A, c.B)
		if !near(got.Value, c.Want) || !near(got.Lo, c.Lo) || !near(got.Hi, c.Hi) {
			t.Errorf("Ratio of %d and %d = %+v, want %v from %v to %v", len(c.A), len(c.B), got, c.Want, c.Lo, c.Hi)
		}
	}
}

func TestMannKendallAgainstPymannkendall(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).Trend {
		got := MannKendall(c.Values)
		if !near(got.Slope, c.Slope) {
			t.Errorf("%s: slope %v, want %v", c.Name, got.Slope, c.Slope)
		}
		if c.Correction <= 0 || c.P == nil {
			continue // the correction is left out here: see TestMannKendallSurvivesNegativeCorrection
		}
		if !near(got.Correction, c.Correction) || !near(got.P, *c.P) {
			t.Errorf("%s: correction %v, p %v, want %v, %v", c.Name, got.Correction, got.P, c.Correction, *c.P)
		}
	}
}

func TestSpearmanAgainstScipy(t *testing.T) {
	t.Parallel()
	for _, c := range readExpected(t).Spearman {
		if got := Spearman(c.A, c.B); !near(got, c.Want) {
			t.Errorf("Spearman(%v, %v) = %v, want %v", c.A, c.B, got, c.Want)
		}
	}
}

// oneTo returns 1, 2, … n.
func oneTo(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return values
}

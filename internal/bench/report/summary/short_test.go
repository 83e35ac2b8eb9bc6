package summary

import (
	"math"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }

func summarize(r *record.Results) *Summary { return New(figures.NewIndex(r)) }

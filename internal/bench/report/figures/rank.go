package figures

import (
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Standing is one stack's figure among those that are compared.
type Standing struct {
	Stack string
	Figure
}

// Ranking orders stacks by a figure, the best first.
type Ranking []Standing

// Rank orders the comparable stacks whose figure is sound.
func (x *Index) Rank(lowerIsBetter bool, figure func(Row) Figure) Ranking {
	var r Ranking
	for _, s := range x.Comparable() {
		if f := figure(x.Rows[s.Name]); f.Sound() {
			r = append(r, Standing{s.Name, f})
		}
	}
	slices.SortStableFunc(r, func(a, b Standing) int {
		if lowerIsBetter {
			a, b = b, a
		}
		switch {
		case a.Value > b.Value:
			return -1
		case a.Value < b.Value:
			return 1
		}
		return strings.Compare(a.Stack, b.Stack)
	})
	return r
}

// Leaders are the best stack and those that are not told apart from it.
func (r Ranking) Leaders() Ranking {
	if len(r) == 0 {
		return nil
	}
	list := r[:1:1]
	for _, s := range r[1:] {
		if !stat.Differs(r[0].Values, s.Values) {
			list = append(list, s)
		}
	}
	return list
}

// Behind are the stacks told apart from the best, nearest first.
func (r Ranking) Behind() Ranking {
	var list Ranking
	for i, s := range r {
		if i > 0 && stat.Differs(r[0].Values, s.Values) {
			list = append(list, s)
		}
	}
	return list
}

// TooFew says that no stack could be told apart from the best, whatever its
// figures: the repeats are too few.
func (r Ranking) TooFew() bool {
	for _, s := range r[1:] {
		if stat.Separable(len(r[0].Values), len(s.Values)) {
			return false
		}
	}
	return len(r) > 1
}

// Names lists the stacks as a sentence does, in alphabetical order.
func (r Ranking) Names() string {
	names := make([]string, len(r))
	for i, s := range r {
		names[i] = s.Stack
	}
	slices.Sort(names)
	return format.List(names)
}

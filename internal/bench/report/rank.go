package report

import (
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/stat"
)

// standing is one stack's figure among those that are compared.
type standing struct {
	stack string
	Figure
}

// ranking orders stacks by a figure, the best first.
type ranking []standing

// rank orders the comparable stacks whose figure is sound.
func (x *index) rank(lowerIsBetter bool, figure func(Row) Figure) ranking {
	var r ranking
	for _, s := range x.comparable() {
		if f := figure(x.rows[s.Name]); f.Sound() {
			r = append(r, standing{s.Name, f})
		}
	}
	slices.SortStableFunc(r, func(a, b standing) int {
		if lowerIsBetter {
			a, b = b, a
		}
		switch {
		case a.Value > b.Value:
			return -1
		case a.Value < b.Value:
			return 1
		}
		return strings.Compare(a.stack, b.stack)
	})
	return r
}

// leaders are the best stack and those that are not told apart from it.
func (r ranking) leaders() ranking {
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

// behind are the stacks told apart from the best, nearest first.
func (r ranking) behind() ranking {
	var list ranking
	for i, s := range r {
		if i > 0 && stat.Differs(r[0].Values, s.Values) {
			list = append(list, s)
		}
	}
	return list
}

// tooFew says that no stack could be told apart from the best, whatever its
// figures: the repeats are too few.
func (r ranking) tooFew() bool {
	for _, s := range r[1:] {
		if stat.Separable(len(r[0].Values), len(s.Values)) {
			return false
		}
	}
	return len(r) > 1
}

func (r ranking) names() string {
	names := make([]string, len(r))
	for i, s := range r {
		names[i] = s.stack
	}
	slices.Sort(names)
	return list(names)
}

// list joins words as a sentence does: "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

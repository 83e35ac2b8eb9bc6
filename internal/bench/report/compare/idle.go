package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"
)

// Idle is a limit that could be held against no figure, and would hold whatever happened.
type Idle struct {
	Limit Limit
	about []Change // the figures of its quantity
}

// Idle lists them.
func (c *Comparison) Idle(limits []Limit) []Idle {
	var list []Idle
	for _, l := range limits {
		idle := Idle{Limit: l}
		for _, change := range c.Changes {
			if change.Quantity == l.Quantity {
				idle.about = append(idle.about, change)
			}
		}
		held := l.Quantity == "errors" && c.spotless || slices.ContainsFunc(idle.about, Change.judged)
		if !held {
			list = append(list, idle)
		}
	}
	return list
}

// judged says whether the figure was good enough, and repeated often enough, to have
// shown a change.
func (c Change) judged() bool { return c.Outcome != Invalid && c.Outcome != TooFew }

// fewest is how many repeats the run has that has fewer of them.
func (c Change) fewest() int { return min(len(c.A.Values), len(c.B.Values)) }

// String says why, and how another pair of runs could show something.
func (i Idle) String() string {
	if len(i.about) == 0 {
		return fmt.Sprintf("the runs share no figure that could be held against %s", i.Limit)
	}
	held := fmt.Sprintf("%s could be held against none of %s", i.Limit, english.Plural(len(i.about), "figure", ""))
	few := slices.DeleteFunc(slices.Clone(i.about), func(c Change) bool { return c.Outcome != TooFew })
	if len(few) == 0 {
		return fmt.Sprintf("%s, for none is valid in both runs; the first: %s", held, i.about[0].Why())
	}
	most := slices.MaxFunc(few, func(a, b Change) int { return cmp.Compare(a.fewest(), b.fewest()) })
	return fmt.Sprintf("%s: %d had too few repeats, the best %d in the first run and %d in the second, where four in each are enough; "+
		"measure again with more time (bench --full, or --duration), fewer stacks or fewer points", held, len(few), len(most.A.Values), len(most.B.Values))
}

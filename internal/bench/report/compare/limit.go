package compare

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Limit is a change that must not happen between two runs: "throughput<-5%" or
// "p95>10%".
type Limit struct {
	Quantity string
	Below    bool // a fall counts, otherwise a rise
	Percent  float64
	text     string
}

var limitForm = regexp.MustCompile(`^(throughput|p50|p95|p99|memory|efficiency|errors)\s*([<>])\s*([+-]?\d+(?:\.\d+)?)\s*%$`)

// ParseLimit reads a limit. Its error names the forms that are allowed.
func ParseLimit(text string) (Limit, error) {
	m := limitForm.FindStringSubmatch(text)
	if m == nil {
		return Limit{}, fmt.Errorf("limit %q: want throughput, p50, p95, p99, memory, efficiency or errors, then < or >, then a percentage, like 'throughput<-5%%'", text)
	}
	percent, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return Limit{}, fmt.Errorf("limit %q: %w", text, err)
	}
	return Limit{Quantity: m[1], Below: m[2] == "<", Percent: percent, text: text}, nil
}

func (l Limit) String() string { return l.text }

// Breaks says whether a change goes beyond the limit. One that the statistics do not
// show breaks none.
func (l Limit) Breaks(c Change) bool {
	shown := c.Outcome == Better || c.Outcome == Worse
	beyond := l.Below && c.Percent() < l.Percent || !l.Below && c.Percent() > l.Percent
	return c.Quantity == l.Quantity && shown && beyond
}

// Break is a change beyond a limit.
type Break struct {
	Limit  Limit
	Change Change
}

// String names the stack, where, and by how much.
func (b Break) String() string {
	unit := "%"
	if b.Change.difference {
		unit = "percentage points"
	}
	return fmt.Sprintf("%s: %s, %s, %s changed by %+.1f %s", b.Limit, b.Change.Stack, b.Change.Sweep, b.Change.Cell, b.Change.Percent(), unit)
}

// Broken lists the changes beyond any of the limits.
func (c *Comparison) Broken(limits []Limit) []Break {
	var list []Break
	for _, l := range limits {
		for _, change := range c.Changes {
			if l.Breaks(change) {
				list = append(list, Break{l, change})
			}
		}
	}
	return list
}

// Unchecked counts the figures that a limit is about and that it could not be held
// against: not valid in one of the runs, or of too few repeats.
func (c *Comparison) Unchecked(limits []Limit) (n int) {
	for _, change := range c.Changes {
		about := slices.ContainsFunc(limits, func(l Limit) bool { return l.Quantity == change.Quantity })
		if about && !change.judged() {
			n++
		}
	}
	return n
}

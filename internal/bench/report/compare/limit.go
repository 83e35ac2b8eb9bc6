package compare

import (
	"fmt"
	"regexp"
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

var limitForm = regexp.MustCompile(`^(throughput|p50|p95|memory)\s*([<>])\s*([+-]?\d+(?:\.\d+)?)\s*%$`)

// ParseLimit reads a limit. Its error names the forms that are allowed.
func ParseLimit(text string) (Limit, error) {
	m := limitForm.FindStringSubmatch(text)
	if m == nil {
		return Limit{}, fmt.Errorf("limit %q: want throughput, p50, p95 or memory, then < or >, then a percentage, like 'throughput<-5%%'", text)
	}
	percent, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return Limit{}, fmt.Errorf("limit %q: %w", text, err)
	}
	return Limit{Quantity: m[1], Below: m[2] == "<", Percent: percent, text: text}, nil
}

func (l Limit) String() string { return l.text }

// Broken lists the changes beyond the limit. A change that the statistics do not
// show breaks none.
func (l Limit) Broken(c *Comparison) []Change {
	var list []Change
	for _, change := range c.Changes {
		shown := change.Outcome == Better || change.Outcome == Worse
		beyond := l.Below && change.Percent() < l.Percent || !l.Below && change.Percent() > l.Percent
		if change.Quantity == l.Quantity && shown && beyond {
			list = append(list, change)
		}
	}
	return list
}

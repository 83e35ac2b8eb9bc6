package findings

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestGain: what batching is worth is judged by the whole interval of the ratio, and
// the words say what kept a claim open.
func TestGain(t *testing.T) {
	t.Parallel()
	five := func(v int) []int { return []int{v, v, v + 2, v + 2, v + 4} }
	for _, c := range []struct {
		name, baseline string
		window, direct []int
		want           Judgement
		says           string
	}{
		{"three times", "direct", five(600), five(200), Holds, "every such stack reaches 2 times"},
		{"one and a half", "direct", five(300), five(200), DoesNotHold, "stays below 2 times"},
		{"about two", "direct", []int{350, 380, 400, 420, 450}, five(200), NotShownHere, "it is open whether it reaches 2 times"},
		{"nothing to compare with", "continuous", five(600), five(200), NotShownHere, "It takes a stack with such a policy and one that answers"},
	} {
		h := reporttest.NewHand("fastapi", "langchain")
		h.Stacks[0].Policy, h.Stacks[1].Policy = "window", c.baseline
		h.Cell("fastapi", record.SweepOnline, 1, 8, 10, c.window...)
		h.Cell("langchain", record.SweepOnline, 1, 8, 10, c.direct...)
		if got := judged(h, dynamicBatching); got.Judgement != c.want || !strings.Contains(got.Text, c.says) {
			t.Errorf("%s: %+v, want %s: %s", c.name, got, c.want, c.says)
		}
	}
}

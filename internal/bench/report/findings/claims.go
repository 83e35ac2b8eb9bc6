package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Judgement is what a run says about a claim.
type Judgement string

// The three judgements.
const (
	Holds        Judgement = "holds"
	DoesNotHold  Judgement = "does not hold"
	NotShownHere Judgement = "not shown by this run"
)

// Verdict is a judgement with its evidence.
type Verdict struct {
	Claim     string     `json:"claim"`
	Judgement Judgement  `json:"verdict"`
	Text      string     `json:"text"`
	Evidence  []Evidence `json:"evidence,omitempty"`
}

// claims are judged in this order, each from the records alone.
var claims = []struct {
	text  string
	judge func(*figures.Index) Verdict
}{
	{"Dynamic batching is worth 2-3x the throughput.", dynamicBatching},
	{"The best batch sizes are 32-64.", bestBatchSizes},
	{"Continuous batching gives 2-5x the throughput.", continuousThroughput},
	{"Continuous batching lowers the p99 latency.", continuousTail},
	{"Continuous batching makes latencies steadier.", continuousSteadiness},
	{"Continuous batching keeps the GPU near 90 % busy.", gpuBusy},
	{"A GPU gives 5-10x the throughput of a CPU.", gpuSpeedup},
	{"Triton is ahead of TEI, and TEI of FastAPI, in every column.", seedOrder},
}

// Judge returns the verdict on every claim.
func Judge(x *figures.Index) []Verdict {
	list := make([]Verdict, len(claims))
	for i, c := range claims {
		list[i] = c.judge(x)
		list[i].Claim = c.text
	}
	return list
}

// Batching policies, as record.Stack names them.
const (
	policyDirect     = "direct"
	policyContinuous = "continuous"
)

// dynamic policies gather the texts of several requests into a batch.
var dynamic = []string{"window", "preferred", "budget"}

// withPolicy lists the comparable stacks with one of the policies.
func withPolicy(x *figures.Index, policies ...string) []*record.Stack {
	return slices.DeleteFunc(x.Comparable(), func(s *record.Stack) bool { return !slices.Contains(policies, policy(s)) })
}

// policy is the first word of what a stack says of its batching: "window" of
// "window, at most 64 requests".
func policy(s *record.Stack) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s.Policy), " ")
	return strings.Trim(word, ",:;")
}

// duel is a stack with a policy against one that answers each request by itself,
// both under single texts from several clients: the load that batching is for.
type duel struct {
	label            string
	tested, baseline *record.Stack
}

// duels pairs stacks of one family only: profiles of one program, where what
// differs is the policy, or real stacks with real stacks.
func duels(x *figures.Index, policies ...string) []duel {
	var list []duel
	for _, direct := range withPolicy(x, policyDirect) {
		for _, s := range withPolicy(x, policies...) {
			if family(s.Name) == family(direct.Name) {
				list = append(list, duel{s.Name + " over " + direct.Name, s, direct})
			}
		}
	}
	return list
}

// family is the program whose profile a stack is, empty for a real stack.
func family(stack string) string {
	program, _, profile := strings.Cut(stack, "/")
	if !profile {
		return ""
	}
	return program
}

// online measures both sides of a duel; false when one of them lacks a sound
// figure.
func online(x *figures.Index, d duel, q figures.Quantity) (tested, baseline figures.Figure, ok bool) {
	at, found := x.Largest(d.tested.Name, record.SweepOnline)
	if !found {
		return figures.Missing(), figures.Missing(), false
	}
	tested, baseline = x.Figure(d.tested.Name, at, q), x.Figure(d.baseline.Name, at, q)
	return tested, baseline, tested.Sound() && baseline.Sound()
}

// gain judges "at least times as much throughput as without": by the interval of
// the ratio, for every stack with such a policy.
func gain(x *figures.Index, times float64, policies ...string) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, d := range duels(x, policies...) {
		tested, baseline, ok := online(x, d, figures.Throughput)
		if !ok {
			continue
		}
		ratio := stat.Ratio(tested.Values, baseline.Values)
		judged = append(judged, atLeast(ratio, times))
		v.Evidence = append(v.Evidence, Evidence{d.label, fmt.Sprintf("%s times (%s and %s embeddings/s)",
			format.WithInterval(ratio), format.Number(tested.Value), format.Number(baseline.Value))})
	}
	v.Judgement = forAll(judged)
	switch {
	case v.Judgement == Holds:
		v.Text = fmt.Sprintf("Under single texts from several clients every such stack reaches %g times or more.", times)
	case v.Judgement == DoesNotHold:
		v.Text = fmt.Sprintf("Under single texts from several clients at least one such stack stays below %g times.", times)
	case len(judged) > 0:
		v.Text = fmt.Sprintf("Of at least one such stack it is open whether it reaches %g times under single texts from several clients.", times)
	default:
		v.Text = "It takes a stack with such a policy and one that answers each request by itself, both profiles or both real, with sound figures under single texts from several clients."
	}
	return v
}

// atLeast says where a ratio's interval lies. One that covers too little, from
// too few repeats, shows nothing.
func atLeast(ratio stat.Estimate, times float64) Judgement {
	switch {
	case !ratio.Known() || ratio.Level < stat.Confidence:
		return NotShownHere
	case ratio.Lo >= times:
		return Holds
	case ratio.Hi < times:
		return DoesNotHold
	}
	return NotShownHere
}

// forAll is the judgement on a claim about every one: a single counter-example
// refutes it.
func forAll(judged []Judgement) Judgement {
	switch {
	case slices.Contains(judged, DoesNotHold):
		return DoesNotHold
	case len(judged) == 0 || slices.Contains(judged, NotShownHere):
		return NotShownHere
	}
	return Holds
}

func dynamicBatching(x *figures.Index) Verdict      { return gain(x, 2, dynamic...) }
func continuousThroughput(x *figures.Index) Verdict { return gain(x, 2, policyContinuous) }

// lower judges whether a figure of continuous batching is below that of direct
// answers.
func lower(x *figures.Index, name, unit string, figure func(stack string) figures.Figure) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, d := range duels(x, policyContinuous) {
		tested, baseline := figure(d.tested.Name), figure(d.baseline.Name)
		if !tested.Sound() || !baseline.Sound() {
			continue
		}
		j := DoesNotHold
		switch differs := stat.Differs(tested.Values, baseline.Values); {
		case !differs:
			j = NotShownHere
		case tested.Value < baseline.Value:
			j = Holds
		}
		judged = append(judged, j)
		v.Evidence = append(v.Evidence,
			Evidence{d.tested.Name, format.WithInterval(tested.Estimate) + " " + unit},
			Evidence{d.baseline.Name, format.WithInterval(baseline.Estimate) + " " + unit})
	}
	v.Judgement = forAll(judged)
	switch {
	case v.Judgement == Holds:
		v.Text = "Its " + name + " is lower under single texts from several clients."
	case v.Judgement == DoesNotHold:
		v.Text = "Its " + name + " is higher under single texts from several clients."
	case len(judged) > 0:
		v.Text = "No difference shown."
	default:
		v.Text = "It takes a continuous and a direct stack, both profiles or both real, with enough requests behind the " + name + "."
	}
	return v
}

func continuousTail(x *figures.Index) Verdict {
	return lower(x, "p99", "ms p99", func(stack string) figures.Figure { return figures.Certified(x.Latency(stack, 0.99)) })
}

func continuousSteadiness(x *figures.Index) Verdict {
	return lower(x, "spread from p10 to p90", "ms from p10 to p90", func(stack string) figures.Figure {
		at, ok := x.Largest(stack, record.SweepOnline)
		if !ok {
			return figures.Missing()
		}
		return x.Figure(stack, at, figures.LatencySpread)
	})
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
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
	judge func(*index) Verdict
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

// judge returns the verdict on every claim.
func (x *index) judge() []Verdict {
	list := make([]Verdict, len(claims))
	for i, c := range claims {
		list[i] = c.judge(x)
		list[i].Claim = c.text
	}
	return list
}

func notShown(format string, a ...any) Verdict {
	return Verdict{Judgement: NotShownHere, Text: fmt.Sprintf(format, a...)}
}

// Batching policies, as record.Stack names them.
const (
	policyDirect     = "direct"
	policyContinuous = "continuous"
)

// dynamic policies gather the texts of several requests into a batch.
var dynamic = []string{"window", "preferred", "budget"}

// withPolicy lists the comparable stacks with one of the policies.
func (x *index) withPolicy(policies ...string) []*record.Stack {
	return slices.DeleteFunc(x.comparable(), func(s *record.Stack) bool { return !slices.Contains(policies, policy(s)) })
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
func (x *index) duels(policies ...string) []duel {
	var list []duel
	for _, direct := range x.withPolicy(policyDirect) {
		for _, s := range x.withPolicy(policies...) {
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
func (x *index) online(d duel, q quantity) (tested, baseline Figure, ok bool) {
	at, found := x.largest(d.tested.Name, record.SweepOnline)
	if !found {
		return missing(), missing(), false
	}
	tested, baseline = x.figure(d.tested.Name, at, q), x.figure(d.baseline.Name, at, q)
	return tested, baseline, tested.Sound() && baseline.Sound()
}

// gain judges "at least times as much throughput as without": by the interval of
// the ratio, for every stack with such a policy.
func (x *index) gain(times float64, policies ...string) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, d := range x.duels(policies...) {
		tested, baseline, ok := x.online(d, throughput)
		if !ok {
			continue
		}
		ratio := stat.Ratio(tested.Values, baseline.Values)
		judged = append(judged, atLeast(ratio, times))
		v.Evidence = append(v.Evidence, Evidence{d.label, fmt.Sprintf("%s times (%s and %s embeddings/s)",
			withInterval(ratio), number(tested.Value), number(baseline.Value))})
	}
	v.Judgement = forAll(judged)
	switch v.Judgement {
	case Holds:
		v.Text = fmt.Sprintf("Under single texts from several clients every such stack reaches %g times or more.", times)
	case DoesNotHold:
		v.Text = fmt.Sprintf("Under single texts from several clients at least one such stack stays below %g times.", times)
	default:
		v.Text = "It takes a stack with such a policy and one that answers each request by itself, both profiles or both real, told apart under single texts from several clients."
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

func dynamicBatching(x *index) Verdict      { return x.gain(2, dynamic...) }
func continuousThroughput(x *index) Verdict { return x.gain(2, policyContinuous) }

// lower judges whether a figure of continuous batching is below that of direct
// answers.
func (x *index) lower(name, unit string, figure func(stack string) Figure) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, d := range x.duels(policyContinuous) {
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
			Evidence{d.tested.Name, withInterval(tested.Estimate) + " " + unit},
			Evidence{d.baseline.Name, withInterval(baseline.Estimate) + " " + unit})
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

func continuousTail(x *index) Verdict {
	return x.lower("p99", "ms p99", func(stack string) Figure { return certified(x.latency(stack, 0.99)) })
}

func continuousSteadiness(x *index) Verdict {
	return x.lower("spread from p10 to p90", "ms from p10 to p90", func(stack string) Figure {
		at, ok := x.largest(stack, record.SweepOnline)
		if !ok {
			return missing()
		}
		return x.figure(stack, at, latencySpread)
	})
}

func gpuBusy(x *index) Verdict {
	if x.results.Manifest.Machine.GPU == "" {
		return notShown("The servers ran without a GPU.")
	}
	return notShown("The records hold no GPU utilisation.")
}

func gpuSpeedup(x *index) Verdict {
	if x.results.Manifest.Machine.GPU == "" {
		return notShown("The servers ran without a GPU.")
	}
	return notShown("It takes the same stack on a GPU and on a CPU in one run.")
}

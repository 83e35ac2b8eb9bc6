package batch

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawPolicy draws any of the five, by default figures or by small ones, with
// which bounds are met often.
func drawPolicy(rt *rapid.T) Policy {
	size := rapid.IntRange(1, 6)
	ms := func(label string) time.Duration {
		return time.Duration(rapid.IntRange(0, 20).Draw(rt, label)) * time.Millisecond
	}
	switch rapid.SampledFrom([]string{"profile", "window", "preferred", "budget", "direct", "continuous"}).Draw(rt, "policy") {
	case "window":
		return Window{Requests: size.Draw(rt, "requests"), Wait: ms("wait"), Queue: size.Draw(rt, "queue"), RunTexts: size.Draw(rt, "run texts")}
	case "preferred":
		return Preferred{
			MaxTexts: size.Draw(rt, "max texts"), Sizes: rapid.SliceOfN(size, 0, 3).Draw(rt, "sizes"),
			Delay: ms("delay"), Queue: size.Draw(rt, "queue"), Instances: rapid.IntRange(1, 3).Draw(rt, "instances"),
			Ordered: rapid.Bool().Draw(rt, "ordered"),
		}
	case "budget":
		return Budget{Tokens: rapid.IntRange(1, 60).Draw(rt, "tokens"), Texts: size.Draw(rt, "texts"), Concurrent: size.Draw(rt, "concurrent")}
	case "direct":
		return Direct{Texts: size.Draw(rt, "texts"), Concurrent: rapid.IntRange(0, 3).Draw(rt, "concurrent"), Queue: size.Draw(rt, "queue")}
	case "continuous":
		return Continuous{Tokens: rapid.IntRange(1, 60).Draw(rt, "tokens"), Texts: size.Draw(rt, "texts"), Queue: size.Draw(rt, "queue"), Turns: rapid.Bool().Draw(rt, "turns")}
	}
	p, err := Profile(rapid.SampledFrom([]string{"fastapi", "triton", "tei", "langchain", "vllm", ""}).Draw(rt, "profile"))
	if err != nil {
		rt.Fatal(err)
	}
	return p
}

func drawJob(rt *rapid.T) plannedJob {
	return plannedJob{
		arrives:  time.Duration(rapid.IntRange(0, 200).Draw(rt, "arrives")) * time.Millisecond,
		patience: time.Duration(max(0, rapid.IntRange(-60, 60).Draw(rt, "patience"))) * time.Millisecond,
		tokens:   rapid.SliceOfN(rapid.IntRange(3, 30), 1, 12).Draw(rt, "tokens"),
		trouble:  min(0, rapid.Int32Range(-2, 12).Draw(rt, "trouble")),
		direct:   rapid.IntRange(0, 5).Draw(rt, "direct") == 0,
	}
}

// TestPromises holds the package's promises over random arrivals, policies,
// impatient clients and texts that break the engine.
func TestPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPolicy(rt)
		o := Options{
			Parallel:      rapid.IntRange(1, 3).Draw(rt, "parallel"),
			RunTokens:     rapid.IntRange(10, 100).Draw(rt, "run tokens"),
			WaitingTokens: rapid.IntRange(50, 2000).Draw(rt, "waiting tokens"),
		}
		perToken := time.Duration(rapid.IntRange(0, 1000).Draw(rt, "us per token")) * time.Microsecond
		jobs := rapid.SliceOfN(rapid.Custom(drawJob), 1, 40).Draw(rt, "jobs")
		tr := simulate(t, p, o, perToken, jobs)
		if found := tr.violations(p.Limits(), o); len(found) > 0 {
			rt.Fatalf("%+v %+v:\n%s", p, o, strings.Join(found, "\n"))
		}
	})
}

// TestPromisesCanBeBroken proves that the checks above see what they are for: a
// good trace is damaged in one place at a time.
func TestPromisesCanBeBroken(t *testing.T) {
	t.Parallel()
	p, o := Window{Requests: 1, Queue: 9, RunTexts: 2}, Options{RunTokens: 20}
	jobs := []plannedJob{
		{tokens: []int{5, 5, 5}},
		{arrives: time.Millisecond, tokens: []int{4}},
		{arrives: 2 * time.Millisecond, tokens: []int{4}, trouble: poison},
		{arrives: 3 * time.Millisecond, tokens: []int{4}, patience: time.Millisecond},
	}
	damages := map[string]func(*trace){
		"":                     func(*trace) {},
		"wrong vector":         func(tr *trace) { tr.outcomes[0].vectors[1][0]++ },
		"computed 2 times":     func(tr *trace) { tr.calls = append(tr.calls, tr.calls[0]) },
		"computed 0 times":     func(tr *trace) { tr.calls = tr.calls[1:] },
		"do not add up":        func(tr *trace) { tr.outcomes[0].report.Queued++ },
		"is bad and was":       func(tr *trace) { tr.outcomes[2].err = nil },
		"is innocent":          func(tr *trace) { tr.outcomes[1].err = errPoison },
		"not at once":          func(tr *trace) { tr.outcomes[1].err = ErrOverloaded },
		"after its client had": func(tr *trace) { tr.calls[len(tr.calls)-1].texts[0][0] = 3 },
		"call of 3 texts":      func(tr *trace) { tr.calls[0].texts = make([][2]int32, 3) },
		"call of 21 tokens":    func(tr *trace) { tr.calls[0].tokens = 21 },
		"after a younger one":  func(tr *trace) { tr.calls[0], tr.calls[2] = tr.calls[2], tr.calls[0] },
		"side by side":         func(tr *trace) { tr.most = 3 },
		"the limit is 9":       func(tr *trace) { tr.mostQueue = 10 },
		"were counted":         func(tr *trace) { tr.stats.Requests++ },
		"a drained queue":      func(tr *trace) { tr.stats.Running++ },
	}
	for want, damage := range damages {
		t.Run(want, func(t *testing.T) {
			tr := simulate(t, p, o, time.Millisecond, jobs)
			damage(tr)
			found := strings.Join(tr.violations(p.Limits(), o), "\n")
			if want == "" && found != "" || !strings.Contains(found, want) {
				t.Errorf("want %q, found:\n%s", want, found)
			}
		})
	}
}

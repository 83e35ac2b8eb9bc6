package batch

import (
	"testing"
	"time"
)

// epoch is when the engine of every state below became free.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// request makes a waiting request of texts of so many tokens each.
func waitingSince(ms int, tokens ...int) Waiting {
	w := Waiting{Arrived: at(ms)}
	for _, n := range tokens {
		w.Items = append(w.Items, Item{IDs: make([]int32, n)})
	}
	return w
}

// many repeats a request of texts of 4 tokens each.
func many(requests, ms, texts int) []Waiting {
	var waiting []Waiting
	for range requests {
		waiting = append(waiting, waitingSince(ms, repeat(texts, 4)...))
	}
	return waiting
}

func repeat(n, value int) []int {
	values := make([]int, n)
	for i := range values {
		values[i] = value
	}
	return values
}

type policyCase struct {
	name    string
	policy  Policy
	waiting []Waiting
	closing bool
	now     time.Time
	want    Decision
}

func runPolicyCases(t *testing.T, cases []policyCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			state := State{Waiting: c.waiting, Free: epoch, Closing: c.closing}
			if got := c.policy.Next(state, c.now); got != c.want {
				t.Errorf("Next = %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	w := FastAPI()
	runPolicyCases(t, []policyCase{
		{"one request waits for the end of the window that the free engine opened", w, many(1, 20, 3), false, at(20), waitUntil(at(50))},
		{"and goes with all its texts when the window closes", w, many(1, 20, 3), false, at(50), take(3)},
		{"the target size is not looked at", w, many(32, 1, 1), false, at(2), waitUntil(at(50))},
		{"63 requests wait", w, many(63, 1, 1), false, at(2), waitUntil(at(50))},
		{"64 fill the batch", w, many(64, 1, 2), false, at(2), take(128)},
		{"further ones stay", w, many(70, 1, 2), false, at(2), take(128)},
		{"those that gathered during a batch wait for a whole window", w, many(5, -30, 1), false, at(0), waitUntil(at(50))},
		{"an idle loop opens windows back to back", w, many(1, 120, 1), false, at(121), waitUntil(at(150))},
		{"a window's last instant belongs to the next", w, many(1, 100, 1), false, at(100), waitUntil(at(150))},
		{"a late look takes what came", w, append(many(1, 10, 1), many(1, 60, 1)...), false, at(61), take(2)},
		{"nothing is waited for when nobody else can come", w, many(2, 20, 1), true, at(21), take(2)},
		{"without a wait it goes at once", Window{Requests: 64}, many(2, 20, 1), false, at(20), take(2)},
	})
}

func TestPreferred(t *testing.T) {
	t.Parallel()
	p := Triton()
	eager := p
	eager.Delay = 0
	odd := Preferred{MaxTexts: 10, Sizes: []int{4, 6}, Delay: 50 * time.Millisecond, Instances: 1}
	none := Preferred{MaxTexts: 8, Delay: 50 * time.Millisecond, Instances: 1}
	runPolicyCases(t, []policyCase{
		{"15 texts wait for the delay of the oldest", p, many(15, 7, 1), false, at(8), waitUntil(at(57))},
		{"16 are a preferred size", p, many(16, 7, 1), false, at(8), take(16)},
		{"17 go as 16", p, many(17, 7, 1), false, at(8), take(16)},
		{"the largest preferred size reached wins", p, many(70, 7, 1), false, at(8), take(64)},
		{"sizes are met at the borders of requests only", p, many(2, 7, 10), false, at(8), waitUntil(at(57))},
		{"two requests of 8 are 16", p, many(3, 7, 8), false, at(8), take(16)},
		{"after the delay everything goes", p, many(70, 7, 1), false, at(57), take(70)},
		{"but no more than the maximum", p, many(200, 7, 1), false, at(57), take(128)},
		{"a full batch goes at once", p, many(200, 7, 1), false, at(8), take(128)},
		{"no preferred size can be met any more", p, many(13, 7, 10), false, at(8), take(120)},
		{"a request larger than the maximum is split", p, many(1, 7, 300), false, at(8), take(128)},
		{"behind a smaller one it waits for the next batch", p, append(many(1, 7, 3), many(1, 7, 300)...), false, at(8), take(3)},
		{"without a delay a preferred size goes first", eager, many(20, 7, 1), false, at(8), take(16)},
		{"and the rest at once", eager, many(4, 7, 1), false, at(8), take(4)},
		{"beyond the largest preferred size the best one goes", odd, many(9, 7, 1), false, at(8), take(6)},
		{"unless it is late: then all that fit", odd, many(9, 7, 1), false, at(57), take(9)},
		{"beyond the largest without a preferred sum", odd, many(3, 7, 5), false, at(8), take(5)},
		{"without preferred sizes the maximum is the only one", none, many(7, 7, 1), false, at(8), waitUntil(at(57))},
		{"and it goes when full", none, many(8, 7, 1), false, at(8), take(8)},
		{"nothing is waited for when nobody else can come", p, many(17, 7, 1), true, at(8), take(17)},
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b := TEI()
	long := []Waiting{waitingSince(0, 16000), waitingSince(0, 384, 1)}
	runPolicyCases(t, []policyCase{
		{"one text goes at once", b, many(1, 0, 1), false, at(0), take(1)},
		{"up to 256 texts", b, many(300, 0, 1), false, at(0), take(256)},
		{"requests are split at the bound", b, many(2, 0, 200), false, at(0), take(256)},
		{"up to 16,384 tokens, to the token", b, long, false, at(0), take(2)},
		{"a text beyond the budget travels alone", b, []Waiting{waitingSince(0, 20000, 1)}, false, at(0), take(1)},
	})
}

func TestDirect(t *testing.T) {
	t.Parallel()
	runPolicyCases(t, []policyCase{
		{"one request, whole", LangChain(), many(3, 0, 100), false, at(0), take(100)},
		{"one text", LangChain(), many(3, 0, 1), false, at(0), take(1)},
	})
}

func TestContinuous(t *testing.T) {
	t.Parallel()
	runPolicyCases(t, []policyCase{
		{"one text goes at once", VLLM(), many(1, 0, 1), false, at(0), take(1)},
		{"all that waits goes", VLLM(), many(40, 0, 5), false, at(0), take(200)},
		{"up to 256 texts", VLLM(), many(300, 0, 1), false, at(0), take(256)},
		{"up to 8,192 tokens", VLLM(), []Waiting{waitingSince(0, 8000, 192, 1)}, false, at(0), take(2)},
	})
}

// TestProfileDefaults pins the figures that the profiles promise.
func TestProfileDefaults(t *testing.T) {
	t.Parallel()
	want := map[string]Policy{
		"fastapi":   Window{Requests: 64, Wait: 50 * time.Millisecond, Queue: 500, RunTexts: 64, Target: 32},
		"tei":       Budget{Tokens: 16384, Texts: 256, Concurrent: 512},
		"langchain": Direct{Texts: 32, Queue: 512},
		"vllm":      Continuous{Tokens: 8192, Texts: 256, Queue: 1024},
		"":          Continuous{Tokens: 8192, Texts: 256, Queue: 1024, Turns: true},
	}
	for name, policy := range want {
		if got, err := Profile(name); err != nil || got != policy {
			t.Errorf("Profile(%q) = %+v, %v", name, got, err)
		}
	}
	triton, err := Profile("triton")
	if got := triton.Limits(); err != nil || got != (Limits{InFlight: 2, Waiting: 512, RunTexts: 128}) {
		t.Errorf("Profile(triton).Limits() = %+v, %v", got, err)
	}
	if _, err := Profile("vllm2"); err == nil {
		t.Error("an unknown profile is accepted")
	}
}

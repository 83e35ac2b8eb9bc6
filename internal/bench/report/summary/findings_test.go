package summary

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

func verdict(t *testing.T, s *Summary, claim string) findings.Verdict {
	t.Helper()
	for _, v := range s.Claims {
		if strings.HasPrefix(v.Claim, claim) {
			return v
		}
	}
	t.Fatalf("no claim %q", claim)
	return findings.Verdict{}
}

// TestBatchingClaims judges a direct stack of 100 embeddings/s against others.
func TestBatchingClaims(t *testing.T) {
	t.Parallel()
	direct := []int{98, 99, 100, 101, 102}
	for _, c := range []struct {
		name   string
		policy string
		online []int
		claim  string
		want   findings.Judgement
	}{
		{"three times", "continuous", []int{300, 301, 302, 303, 304}, "Continuous batching gives", findings.Holds},
		{"half more", "continuous", []int{150, 151, 152, 153, 154}, "Continuous batching gives", findings.DoesNotHold},
		{"about twice", "continuous", []int{180, 190, 200, 210, 220}, "Continuous batching gives", findings.NotShownHere},
		{"three repeats", "continuous", []int{300, 301, 302}, "Continuous batching gives", findings.NotShownHere},
		{"dynamic, in words", "window, at most 64 requests", []int{300, 301, 302, 303, 304}, "Dynamic", findings.Holds},
		{"dynamic is not continuous", "window", []int{300, 301, 302, 303, 304}, "Continuous batching gives", findings.NotShownHere},
	} {
		h := reporttest.NewHand("paceline/direct", "paceline/tested")
		h.Stacks[0].Policy, h.Stacks[1].Policy = "direct", c.policy
		baseline := direct[:min(len(direct), len(c.online))]
		h.Cell("paceline/direct", record.SweepOnline, 1, 8, 80, baseline...)
		h.Cell("paceline/tested", record.SweepOnline, 1, 8, 40, c.online...)
		if got := verdict(t, summarize(h.Results), c.claim); got.Judgement != c.want {
			t.Errorf("%s: %s %q, want %s; %v", c.name, got.Claim, got.Judgement, c.want, got.Evidence)
		}
	}
}

// TestClaimsCompareOneFamily: a profile is not set against a real stack.
func TestClaimsCompareOneFamily(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("langchain", "paceline/vllm")
	h.Stacks[0].Policy, h.Stacks[1].Policy = "direct", "continuous"
	h.Cell("langchain", record.SweepOnline, 1, 8, 80, 100, 100, 100, 100, 100)
	h.Cell("paceline/vllm", record.SweepOnline, 1, 8, 80, 300, 300, 300, 300, 300)
	if got := verdict(t, summarize(h.Results), "Continuous batching gives"); got.Judgement != findings.NotShownHere {
		t.Errorf("engine and policy both differ, yet the claim %q: %v", got.Judgement, got.Evidence)
	}
}

func TestTailAndSteadiness(t *testing.T) {
	t.Parallel()
	build := func(perRepeat int) *Summary {
		h := reporttest.NewHand("paceline/direct", "paceline/continuous")
		h.Stacks[0].Policy, h.Stacks[1].Policy = "direct", "continuous"
		for i := range 5 {
			h.Cell("paceline/direct", record.SweepOnline, 1, 8, 80+float64(i), perRepeat)
			h.Last().Repeat = i
			h.Cell("paceline/continuous", record.SweepOnline, 1, 8, 40+float64(i), perRepeat)
			h.Last().Repeat = i
		}
		return summarize(h.Results)
	}
	// 5*132 = 660 requests do not carry p99, 5*133 = 665 do: MLPerf's count is 662.
	if got := verdict(t, build(132), "Continuous batching lowers"); got.Judgement != findings.NotShownHere {
		t.Errorf("660 requests carry a p99: %+v", got)
	}
	s := build(133)
	if got := verdict(t, s, "Continuous batching lowers"); got.Judgement != findings.Holds {
		t.Errorf("p99 of 40 ms against 80 ms: %+v", got)
	}
	// All latencies of a slice are alike, so no spread differs.
	if got := verdict(t, s, "Continuous batching makes"); got.Judgement != findings.NotShownHere || got.Text != "No difference shown." {
		t.Errorf("equal spreads: %+v", got)
	}
}

func TestBestBatchSizes(t *testing.T) {
	t.Parallel()
	around := func(v int) []int { return []int{v, v + 64, v + 128, v + 192, v + 256} }
	for _, c := range []struct {
		name              string
		at16, at64, at128 int
		want              findings.Judgement
	}{
		{"64 is best", 6400, 12800, 6400, findings.Holds},
		{"128 is best", 6400, 12800, 19200, findings.DoesNotHold},
		{"64 and 128 are alike", 6400, 12800, 12800, findings.NotShownHere},
	} {
		h := reporttest.NewHand("s")
		h.Cell("s", record.SweepBatchSize, 16, 1, 10, around(c.at16)...)
		h.Cell("s", record.SweepBatchSize, 64, 1, 10, around(c.at64)...)
		h.Cell("s", record.SweepBatchSize, 128, 1, 10, around(c.at128)...)
		if got := verdict(t, summarize(h.Results), "The best batch sizes"); got.Judgement != c.want {
			t.Errorf("%s: %q, want %q; %v", c.name, got.Judgement, c.want, got.Evidence)
		}
	}
}

func TestQuotedOrder(t *testing.T) {
	t.Parallel()
	s := summarize(reporttest.Demo(5))
	got := verdict(t, s, "Triton is ahead")
	if got.Judgement != findings.DoesNotHold { // the demo's Triton has the higher latency
		t.Errorf("%+v", got)
	}
}

// TestNoDifferenceShown: interleaved samples have no leader, separate ones do, and
// one repeat a stack never has.
func TestNoDifferenceShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b []int
		want string
	}{
		{[]int{40, 44, 48, 52, 56}, []int{44, 48, 52, 56, 60}, "No difference shown between a and b."},
		{[]int{80, 80, 80, 80, 80}, []int{40, 40, 40, 40, 40}, "a leads with 80.0 [80.0–80.0] embeddings/s, 2.00 [2.00–2.00] times that of b."},
		{[]int{80}, []int{40}, findings.TooFewRepeats},
		{[]int{80, 80, 80}, []int{40, 40, 40}, findings.TooFewRepeats},
		{[]int{80, 80, 80, 80, 80}, []int{40, 40, 40}, "a leads with 80.0 [80.0–80.0] embeddings/s, 2.00 [2.00–2.00] times that of b."},
	} {
		h := reporttest.NewHand("a", "b")
		h.Cell("a", record.SweepConcurrency, 4, 8, 10, c.a...)
		h.Cell("b", record.SweepConcurrency, 4, 8, 10, c.b...)
		if got := summarize(h.Results).Leaders[0].Text; got != c.want {
			t.Errorf("%v and %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

// TestUnlikePercentilesAreNotRanked: p95 of one stack is not set against p90 of
// another.
func TestUnlikePercentilesAreNotRanked(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("many", "few")
	h.Cell("many", record.SweepOnline, 1, 8, 20, 130, 130, 130, 130, 130)
	h.Cell("few", record.SweepOnline, 1, 8, 5, 14, 14, 14, 14, 14)
	f := summarize(h.Results).Leaders[1]
	if !strings.HasPrefix(f.Text, "Only many was measured") || !strings.Contains(f.Evidence[1].Figure, "70 requests carry p90") {
		t.Errorf("%+v", f)
	}
}

// TestDisagreeingStackIsNeverRanked: however fast, a stack that computes something
// else leads nothing, is recommended for nothing and proves nothing.
func TestDisagreeingStackIsNeverRanked(t *testing.T) {
	t.Parallel()
	r := reporttest.Demo(5)
	before := summarize(r)
	if !strings.Contains(sentences(before), "paceline/vllm leads") {
		t.Fatalf("the control: paceline/vllm should lead in something\n%s", sentences(before))
	}
	for i := range r.Stacks {
		if r.Stacks[i].Name == "paceline/vllm" {
			r.Stacks[i].Agreement.Comparable, r.Stacks[i].Agreement.Reason = false, "no normalisation"
		}
	}
	after := summarize(r)
	if strings.Contains(sentences(after), "paceline/vllm") {
		t.Errorf("not comparable, yet named:\n%s", sentences(after))
	}
	if got := verdict(t, after, "Continuous batching gives"); got.Judgement != findings.NotShownHere {
		t.Errorf("proved by a stack that is not comparable: %+v", got)
	}
	if last := after.Rows[len(after.Rows)-1]; last.Stack != "paceline/vllm" || last.Reason != "no normalisation" {
		t.Errorf("the last row is %+v", last)
	}
}

// sentences is what a summary says in sentences, without the evidence.
func sentences(s *Summary) string {
	var b strings.Builder
	for _, f := range slices.Concat(s.Leaders, s.TradeOffs, s.Recommendations) {
		b.WriteString(f.Topic + ": " + f.Text + "\n")
	}
	for _, v := range s.Claims {
		b.WriteString(v.Claim + " " + string(v.Judgement) + " " + v.Text + "\n")
	}
	return b.String()
}

// TestOrderChangesNoVerdict: stacks and cells in any order give the same sentences
// and the same figures.
func TestOrderChangesNoVerdict(t *testing.T) {
	t.Parallel()
	r := reporttest.Demo(4)
	want := summarize(r)
	random := rand.New(rand.NewPCG(7, 8))
	for range 5 {
		random.Shuffle(len(r.Stacks), func(i, j int) { r.Stacks[i], r.Stacks[j] = r.Stacks[j], r.Stacks[i] })
		random.Shuffle(len(r.Cells), func(i, j int) { r.Cells[i], r.Cells[j] = r.Cells[j], r.Cells[i] })
		got := summarize(r)
		if sentences(got) != sentences(want) {
			t.Fatalf("got:\n%s\nwant:\n%s", sentences(got), sentences(want))
		}
		if !reflect.DeepEqual(got.Leaders, want.Leaders) {
			t.Fatalf("figures differ: %+v, %+v", got.Leaders, want.Leaders)
		}
	}
}

// TestNothingMeasured: a run in which no stack came up says so everywhere.
func TestNothingMeasured(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("a")
	h.Stacks[0].Error = "exit status 1"
	s := summarize(h.Results)
	for _, v := range s.Claims {
		if v.Judgement != findings.NotShownHere {
			t.Errorf("%s %s", v.Claim, v.Judgement)
		}
	}
	for _, f := range slices.Concat(s.Leaders, s.Recommendations) {
		if f.Text != findings.NotMeasured {
			t.Errorf("%s: %s", f.Topic, f.Text)
		}
	}
	if data, err := json.Marshal(s); err != nil || !strings.Contains(string(data), `"throughput":null`) {
		t.Errorf("%v %s", err, data)
	}
}

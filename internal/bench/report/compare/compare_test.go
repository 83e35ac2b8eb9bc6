package compare

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
	"github.com/paceline/paceline/internal/bench/report/table"
)

func outcomes(c *Comparison, stack, quantity string) map[Outcome]int {
	counts := map[Outcome]int{}
	for _, change := range c.Changes {
		if change.Stack == stack && change.Quantity == quantity {
			counts[change.Outcome]++
		}
	}
	return counts
}

func TestCompareFindsTheSlowerStackOnly(t *testing.T) {
	t.Parallel()
	c := Runs(reporttest.Demo(5), reporttest.Slowed(reporttest.Demo(5), "paceline/tei", 1.25))
	if got := outcomes(c, "paceline/tei", "throughput"); got[Worse] != 15 || len(got) != 1 {
		t.Errorf("a quarter slower in all of 15 cells: %v", got)
	}
	if got := outcomes(c, "paceline/tei", "p95"); got[Worse] != 1 || len(got) != 1 {
		t.Errorf("its latency: %v", got)
	}
	for _, stack := range []string{"paceline/fastapi", "paceline/vllm"} {
		if got := outcomes(c, stack, "throughput"); got[NoDifference] != 15 || len(got) != 1 {
			t.Errorf("%s did not change: %v", stack, got)
		}
	}
	for _, change := range c.Changes {
		if change.Stack == "paceline/tei" && change.Quantity == "throughput" && (change.Ratio.Value < 0.77 || change.Ratio.Value > 0.83) {
			t.Errorf("%s: ratio %v, want 0.8", change.Cell, change.Ratio.Value)
		}
	}
	backwards := Runs(reporttest.Slowed(reporttest.Demo(5), "paceline/tei", 1.25), reporttest.Demo(5))
	if got := outcomes(backwards, "paceline/tei", "throughput"); got[Better] != 15 {
		t.Errorf("the other way round: %v", got)
	}
}

// TestCompareHasAFloor: a change of a few percent is none between two runs, however
// plainly their repeats lie apart, and a large one is. The demo's repeats scatter by 1.5 %.
func TestCompareHasAFloor(t *testing.T) {
	t.Parallel()
	for by, want := range map[float64]Outcome{1.04: NoDifference, 1 / 1.04: NoDifference, 1.12: Worse, 1 / 1.12: Better} {
		c := Runs(reporttest.Demo(5), reporttest.Slowed(reporttest.Demo(5), "paceline/tei", by))
		if got := outcomes(c, "paceline/tei", "throughput"); got[want] != 15 {
			t.Errorf("%.2f times as slow: %v, want 15 times %s", by, got, want)
		}
	}
}

func TestCompareNeedsRepeats(t *testing.T) {
	t.Parallel()
	c := Runs(reporttest.Demo(3), reporttest.Slowed(reporttest.Demo(3), "paceline/tei", 2))
	if got := outcomes(c, "paceline/tei", "throughput"); got[TooFew] != 15 {
		t.Errorf("three repeats show something: %v", got)
	}
}

// TestCompareOneStackEach: two stress tests of services at two addresses are a pair.
func TestCompareOneStackEach(t *testing.T) {
	t.Parallel()
	one := func(name string, factor float64) *record.Results {
		r := reporttest.Slowed(reporttest.Demo(5), "paceline/tei", factor)
		r.Stacks = slices.DeleteFunc(r.Stacks, func(s record.Stack) bool { return s.Name != "paceline/tei" })
		r.Cells = slices.DeleteFunc(r.Cells, func(c record.Cell) bool { return c.Stack != "paceline/tei" })
		r.Stacks[0].Name = name
		for i := range r.Cells {
			r.Cells[i].Stack = name
		}
		return r
	}
	c := Runs(one("http://a", 1), one("http://b", 1.25))
	if got := outcomes(c, "http://a", "throughput"); got[Worse] != 15 || len(got) != 1 {
		t.Errorf("a quarter slower in all of 15 cells: %v", got)
	}
	if want := "stack: http://a, then http://b"; !slices.Contains(c.Differences, want) {
		t.Errorf("%q: want %q among them", c.Differences, want)
	}
	c = Runs(one("http://a", 1), reporttest.Demo(5))
	if len(c.Changes) != 0 || !slices.Contains(c.Differences, "http://a is not measured in both runs") {
		t.Errorf("one stack against several: %d changes, %q", len(c.Changes), c.Differences)
	}
}

func TestCompareSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	a, b := reporttest.Demo(1), reporttest.Demo(1)
	b.Manifest.Data.SHA256 = "another"
	b.Manifest.Model.Files = map[string]string{"model.safetensors": "another"}
	b = reporttest.Only(b, "paceline/fastapi", "paceline/triton", "paceline/tei", "paceline/langchain")
	var text strings.Builder
	if err := Runs(a, b).WriteText(&text, table.Terminal{Width: 100}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"differ in texts: ", "model.safetensors has other contents", "paceline/vllm is not measured in both"} {
		if !strings.Contains(strings.ReplaceAll(text.String(), "\n  ", ""), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if len(Runs(a, reporttest.Demo(1)).Differences) != 0 {
		t.Error("equal runs differ")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	c := Runs(reporttest.Demo(5), reporttest.Slowed(reporttest.Demo(5), "paceline/tei", 1.25))
	for text, want := range map[string]int{
		"throughput<-5%":  15, // all cells of the one stack
		"throughput<-30%": 0,  // it lost 20 %
		"throughput>5%":   0,
		"p95>10%":         1,
		"p95<-10%":        0,
	} {
		limit, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Broken([]Limit{limit}); len(got) != want {
			t.Errorf("%s is broken by %d changes, want %d", text, len(got), want)
		}
	}
	for _, text := range []string{"", "throughput", "throughput<5", "cosine<-5%", "p999>1%", "throughput<=-5%", "throughput<-5%%"} {
		if _, err := ParseLimit(text); err == nil {
			t.Errorf("%q is taken for a limit", text)
		}
	}
}

// TestIdleLimits: a limit that nothing could have broken says so, with what the runs
// lack; one figure that could have is enough.
func TestIdleLimits(t *testing.T) {
	t.Parallel()
	invalid := reporttest.Demo(5)
	for i := range invalid.Cells {
		invalid.Cells[i].Invalid = "it drifted"
	}
	mixed := reporttest.Demo(5)
	mixed.Cells = slices.DeleteFunc(mixed.Cells, func(c record.Cell) bool { return c.Stack != "paceline/tei" && c.Repeat > 2 })
	some, others := reporttest.Only(reporttest.Demo(5), "paceline/tei", "paceline/vllm"), reporttest.Only(reporttest.Demo(5), "paceline/fastapi", "paceline/triton")
	for _, c := range []struct {
		name  string
		a, b  *record.Results
		limit string
		want  string
	}{
		{"enough repeats", reporttest.Demo(5), reporttest.Demo(4), "throughput<-5%", ""},
		{"few repeats", reporttest.Demo(3), reporttest.Demo(2), "throughput<-5%", "had too few repeats, the best 3 in the first run and 2 in the second, where four in each are enough; measure again with more time (bench --full"},
		{"few in one run", reporttest.Demo(1), reporttest.Demo(5), "throughput<-5%", "the best 1 in the first run and 5 in the second"},
		{"not valid", reporttest.Demo(5), invalid, "p95>10%", "none is valid in both runs; the first: it drifted"},
		{"few of all stacks but one", reporttest.Demo(5), mixed, "throughput<-5%", ""},
		{"no errors in either", reporttest.Demo(5), reporttest.Demo(5), "errors>1%", ""},
		{"no load to have errors at", some, others, "errors>1%", "the runs share no figure that could be held against errors>1%"},
		{"not shared", some, others, "throughput<-5%", "the runs share no figure that could be held against throughput<-5%"},
	} {
		var said []string
		for _, i := range Runs(c.a, c.b).Idle(parsed(t, c.limit)) {
			said = append(said, i.String())
		}
		if got := strings.Join(said, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// failing lets some of the requests of a stack's online cells fail.
func failing(r *record.Results, stack string, each int) *record.Results {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Stack == stack && c.Sweep == record.SweepOnline {
			for j := c.Repeat; j < len(c.Requests.Outcome); j += each {
				c.Requests.Outcome[j] = "5xx"
			}
			c.Invalid = "more than 1 % of the requests failed"
		}
	}
	return r
}

// TestErrorsAreCompared: errors make a cell invalid, and yet a limit on them holds;
// the figures that they spoil are counted as not checked.
func TestErrorsAreCompared(t *testing.T) {
	t.Parallel()
	c := Runs(reporttest.Demo(5), failing(reporttest.Demo(5), "paceline/vllm", 10))
	limits := parsed(t, "errors>1%", "p95>10%")
	broken := c.Broken(limits)
	if len(broken) != 1 || broken[0].Change.Stack != "paceline/vllm" || !strings.Contains(broken[0].String(), "percentage points") {
		t.Errorf("one request in ten failed: %v", broken)
	}
	if n := c.Unchecked(limits); n != 1 {
		t.Errorf("%d figures could not be checked, want the p95 of one stack", n)
	}
	if len(Runs(reporttest.Demo(5), reporttest.Demo(5)).Broken(limits)) != 0 {
		t.Error("equal runs break a limit")
	}
}

func parsed(t *testing.T, texts ...string) []Limit {
	t.Helper()
	var list []Limit
	for _, text := range texts {
		l, err := ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	return list
}

// TestJUnit: what CI systems read counts as it should: broken limits and lost stacks
// fail, what could not be compared is skipped.
func TestJUnit(t *testing.T) {
	t.Parallel()
	b := reporttest.Slowed(reporttest.Demo(5), "paceline/tei", 1.25)
	failing(b, "paceline/vllm", 10)
	b.Stacks[1].Error = "it crashed & <burned>"
	c := Runs(reporttest.Demo(5), b)
	var text bytes.Buffer
	if err := c.WriteJUnit(&text, parsed(t, "throughput<-5%")); err != nil {
		t.Fatal(err)
	}
	var all junitSuites
	if err := xml.Unmarshal(text.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	// 15 cells of one stack are slower; one stack was lost; of another the throughput,
	// p50, p95 and p99 of one cell are spoilt by errors, which are compared.
	if all.Tests != len(c.Changes)+1 || all.Failures != 16 || all.Skipped == 0 {
		t.Errorf("%d tests of %d changes, %d failures, %d skipped", all.Tests, len(c.Changes), all.Failures, all.Skipped)
	}
	for _, s := range all.Suites {
		for _, test := range s.Cases {
			if test.Skipped != nil && (s.Name != "paceline/vllm" || !strings.Contains(test.Skipped.Message, "1 %")) {
				t.Errorf("%s %s is skipped: %v", s.Name, test.Name, test.Skipped)
			}
		}
	}
	if len(c.Lost) != 1 || !strings.Contains(c.Lost[0], "it crashed") {
		t.Errorf("lost: %v", c.Lost)
	}
}

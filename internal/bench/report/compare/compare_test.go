package compare

import (
	"strings"
	"testing"

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

func TestCompareNeedsRepeats(t *testing.T) {
	t.Parallel()
	c := Runs(reporttest.Demo(3), reporttest.Slowed(reporttest.Demo(3), "paceline/tei", 2))
	if got := outcomes(c, "paceline/tei", "throughput"); got[TooFew] != 15 {
		t.Errorf("three repeats show something: %v", got)
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
		if got := limit.Broken(c); len(got) != want {
			t.Errorf("%s is broken by %d changes, want %d", text, len(got), want)
		}
	}
	for _, text := range []string{"", "throughput", "throughput<5", "cosine<-5%", "throughput<=-5%", "throughput<-5%%"} {
		if _, err := ParseLimit(text); err == nil {
			t.Errorf("%q is taken for a limit", text)
		}
	}
}

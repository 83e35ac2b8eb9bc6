package findings

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// judged is the verdict of one claim on hand-made records.
func judged(h reporttest.Hand, judge func(*figures.Index) Verdict) Verdict {
	return judge(figures.NewIndex(h.Results))
}

func TestGPUBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		policy string
		use    []float64 // a repeat
		want   Judgement
	}{
		{"busy", "continuous", []float64{88, 90, 93}, Holds},
		{"exactly near", "continuous", []float64{85, 85}, Holds},
		{"idle half the time", "continuous", []float64{50, 52, 54}, DoesNotHold},
		{"on both sides", "continuous", []float64{80, 90, 95}, NotShownHere},
		{"one repeat", "continuous", []float64{95}, NotShownHere},
		{"another policy", "direct", []float64{90, 91, 92}, NotShownHere},
		{"no GPU", "continuous", nil, NotShownHere},
	} {
		h := reporttest.NewHand("paceline/s")
		h.Stacks[0].Policy = c.policy
		for _, use := range c.use {
			h.Cell("paceline/s", record.SweepConcurrency, 32, 8, 10, 640)
			h.Last().Samples.GPU = &record.GPUSamples{At: []int64{0, 5e5, 1e6}, Utilization: []float64{use - 1, use, use + 1}}
		}
		if got := judged(h, gpuBusy); got.Judgement != c.want || len(got.Evidence) > 0 != (len(c.use) > 0 && c.policy == "continuous") {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestGPUBusyLeavesOutInvalid(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("paceline/s")
	h.Stacks[0].Policy = "continuous"
	for range 3 {
		h.Cell("paceline/s", record.SweepConcurrency, 32, 8, 10, 640)
		h.Last().Samples.GPU = &record.GPUSamples{At: []int64{0}, Utilization: []float64{95}}
		h.Last().Invalid = "the client was busy"
	}
	if got := judged(h, gpuBusy); got.Judgement != NotShownHere || len(got.Evidence) != 0 {
		t.Errorf("proved by what is not valid: %+v", got)
	}
}

func TestGPUSpeedup(t *testing.T) {
	t.Parallel()
	five := func(v int) []int { return []int{v, v, v + 32, v + 32, v + 64} }
	for _, c := range []struct {
		name       string
		fast, slow string
		gpu, cpu   []int
		want       Judgement
	}{
		{"eight times", "tei-gpu", "tei-cpu", five(25600), five(3200), Holds},
		{"the other has no mark", "tei-cuda", "tei", five(25600), five(3200), Holds},
		{"three times", "tei-gpu", "tei-cpu", five(9600), five(3200), DoesNotHold},
		{"about five times", "tei-gpu", "tei-cpu", []int{12800, 16000, 19200, 16000, 16000}, five(3200), NotShownHere},
		{"two repeats", "tei-gpu", "tei-cpu", []int{25600, 25600}, []int{3200, 3200}, NotShownHere},
		{"two stacks", "tei-gpu", "triton-cpu", five(25600), five(3200), NotShownHere},
		{"both on a GPU", "tei-gpu", "tei-cuda", five(25600), five(3200), NotShownHere},
	} {
		h := reporttest.NewHand(c.fast, c.slow)
		h.Cell(c.fast, record.SweepConcurrency, 32, 8, 10, c.gpu...)
		h.Cell(c.slow, record.SweepConcurrency, 32, 8, 10, c.cpu...)
		if got := judged(h, gpuSpeedup); got.Judgement != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

// TestQuotedOrderNeedsEveryColumn: ahead in all of them, and all shown.
func TestQuotedOrderNeedsEveryColumn(t *testing.T) {
	t.Parallel()
	build := func(memory bool) reporttest.Hand {
		h := reporttest.NewHand("triton", "tei", "fastapi")
		for i, stack := range []string{"triton", "tei", "fastapi"} {
			for repeat := range 5 {
				h.Cell(stack, record.SweepConcurrency, 32, 8, 10, 3200*(3-i)+32*repeat)
				if memory {
					h.Last().PeakBytes = int64(200e6 + float64(i)*50e6 + float64(repeat)*1e5)
				}
				h.Cell(stack, record.SweepOffline, 32, 8, 10, 9600)
				h.Cell(stack, record.SweepOnline, 1, 8, 20+10*float64(i)+float64(repeat)/10, 130)
			}
		}
		return h
	}
	if got := judged(build(true), seedOrder); got.Judgement != Holds || len(got.Evidence) != 2 {
		t.Errorf("ahead in every column: %+v", got)
	}
	if got := judged(build(false), seedOrder); got.Judgement != NotShownHere {
		t.Errorf("memory was not measured: %+v", got)
	}
	h := build(true)
	h.Stacks[2].Error = "it crashed"
	if got := judged(h, seedOrder); got.Judgement != NotShownHere || len(got.Evidence) != 1 {
		t.Errorf("half of the order is left: %+v", got)
	}
}

// TestEveryClaimIsJudged holds the list of claims that people make.
func TestEveryClaimIsJudged(t *testing.T) {
	t.Parallel()
	verdicts := Judge(figures.NewIndex(reporttest.NewHand().Results))
	if len(verdicts) != 8 {
		t.Fatalf("%d claims", len(verdicts))
	}
	for _, v := range verdicts {
		if v.Judgement != NotShownHere || v.Text == "" || v.Claim == "" {
			t.Errorf("of nothing: %+v", v)
		}
	}
}

package findings

import (
	"fmt"
	"strings"

	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/stat"
)

// nearNinety is the least use of a GPU, in percent, that is near 90.
const nearNinety = 85.0

// gpuBusy judges the GPU's use under the load of the throughput column, by the
// interval over the repeats, for every stack with continuous batching.
func gpuBusy(x *figures.Index) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, s := range withPolicy(x, policyContinuous) {
		use := x.Rows[s.Name].GPUUse
		if !use.Sound() {
			continue
		}
		judged = append(judged, above(use.Estimate, nearNinety))
		v.Evidence = append(v.Evidence, Evidence{s.Name, format.WithInterval(use.Estimate) + " % of the time"})
	}
	v.Judgement = forAll(judged)
	switch {
	case len(judged) == 0:
		v.Text = withoutGPU(x, "It takes a stack with continuous batching and its GPU's use.")
	case v.Judgement == Holds:
		v.Text = fmt.Sprintf("Under full batches the GPU is in use %.0f %% of the time or more.", nearNinety)
	case v.Judgement == DoesNotHold:
		v.Text = fmt.Sprintf("Under full batches the GPU is in use less than %.0f %% of the time, for at least one such stack.", nearNinety)
	default:
		v.Text = "The repeats do not show it: too few, or too far apart."
	}
	return v
}

// above says where an interval lies. Two repeats at least make one: the use of a GPU
// is a mean over many samples already.
func above(e stat.Estimate, least float64) Judgement {
	switch {
	case e.N < 2:
		return NotShownHere
	case e.Lo >= least:
		return Holds
	case e.Hi < least:
		return DoesNotHold
	}
	return NotShownHere
}

func withoutGPU(x *figures.Index, otherwise string) string {
	if m := x.Results.Manifest.Machine; m.GPU == "" {
		return "The servers ran without a GPU."
	}
	return otherwise
}

// gpuSpeedup sets each stack that ran on a GPU against the same one on the CPU.
func gpuSpeedup(x *figures.Index) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, d := range devicePairs(x) {
		fast, slow := x.Rows[d.tested.Name].Throughput, x.Rows[d.baseline.Name].Throughput
		if !fast.Sound() || !slow.Sound() {
			continue
		}
		ratio := stat.Ratio(fast.Values, slow.Values)
		judged = append(judged, atLeast(ratio, 5))
		v.Evidence = append(v.Evidence, Evidence{d.label, fmt.Sprintf("%s times (%s and %s embeddings/s)",
			format.WithInterval(ratio), format.Number(fast.Value), format.Number(slow.Value))})
	}
	v.Judgement = forAll(judged)
	switch {
	case len(judged) == 0:
		v.Text = withoutGPU(x, "It takes the same stack on a GPU and on a CPU in one run, under names that differ in -gpu and -cpu only.")
	case v.Judgement == Holds:
		v.Text = "Under full batches it is 5 times or more."
	case v.Judgement == DoesNotHold:
		v.Text = "Under full batches it is less than 5 times, for at least one stack."
	default:
		v.Text = "The intervals do not tell whether it is 5 times."
	}
	return v
}

// devicePairs are stacks that differ by their device only, as their names say: tei-gpu
// and tei-cpu, or tei-gpu and tei.
func devicePairs(x *figures.Index) []duel {
	var list []duel
	for _, fast := range x.Comparable() {
		base, device := onDevice(fast.Name)
		if device != "gpu" {
			continue
		}
		for _, slow := range x.Comparable() {
			if other, device := onDevice(slow.Name); other == base && device != "gpu" {
				list = append(list, duel{fast.Name + " over " + slow.Name, fast, slow})
			}
		}
	}
	return list
}

// onDevice splits a stack's name into what it is and where it ran.
func onDevice(stack string) (base, device string) {
	for _, suffix := range []struct{ text, device string }{{"gpu", "gpu"}, {"cuda", "gpu"}, {"cpu", "cpu"}} {
		for _, joint := range "-_@" {
			if base, ok := strings.CutSuffix(strings.ToLower(stack), string(joint)+suffix.text); ok {
				return base, suffix.device
			}
		}
	}
	return strings.ToLower(stack), ""
}

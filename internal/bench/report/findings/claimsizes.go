package findings

import (
	"fmt"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/stat"
)

// bestBatchSizes judges every stack by its batch-size sweep: the claim holds when
// the better of 32 and 64 is told apart from every size outside, and fails when a
// size outside is told apart from both and faster.
func bestBatchSizes(x *figures.Index) Verdict {
	var judged []Judgement
	v := Verdict{}
	for _, s := range x.Comparable() {
		inside, outside := sizesInOut(x, s.Name)
		if len(inside) == 0 || len(outside) == 0 {
			continue
		}
		best, rival := fastest(inside), fastest(outside)
		judged = append(judged, betterThanAll(best, outside))
		v.Evidence = append(v.Evidence, Evidence{s.Name, fmt.Sprintf("%s embeddings/s at %d, %s at %d",
			format.WithInterval(best.Estimate), best.size, format.WithInterval(rival.Estimate), rival.size)})
	}
	v.Judgement = forAll(judged)
	switch {
	case len(judged) == 0:
		v.Text = "It takes batch sizes within 32-64 and outside."
	case v.Judgement == Holds:
		v.Text = "For every stack, a size within 32-64 is faster than every size outside."
	case v.Judgement == DoesNotHold:
		v.Text = "For at least one stack, a size outside 32-64 is faster than those within."
	default:
		v.Text = "No difference shown between the best size within 32-64 and the best outside, for at least one stack."
	}
	return v
}

// sizeFigure is the throughput at a batch size.
type sizeFigure struct {
	size int
	figures.Figure
}

func sizesInOut(x *figures.Index, stack string) (inside, outside []sizeFigure) {
	for _, p := range x.Points(stack, record.SweepBatchSize) {
		f := x.Figure(stack, p, figures.Throughput)
		switch {
		case !f.Sound():
		case p.BatchSize >= 32 && p.BatchSize <= 64:
			inside = append(inside, sizeFigure{p.BatchSize, f})
		default:
			outside = append(outside, sizeFigure{p.BatchSize, f})
		}
	}
	return inside, outside
}

func fastest(points []sizeFigure) sizeFigure {
	best := points[0]
	for _, p := range points[1:] {
		if p.Value > best.Value {
			best = p
		}
	}
	return best
}

func betterThanAll(best sizeFigure, others []sizeFigure) Judgement {
	judged := Holds
	for _, p := range others {
		switch differs := stat.Differs(best.Values, p.Values); {
		case differs && p.Value > best.Value:
			return DoesNotHold
		case !differs:
			judged = NotShownHere
		}
	}
	return judged
}

// seedOrder judges the order that is often quoted, in throughput, latency, batch
// efficiency and memory. The stacks are told by the last part of their names.
func seedOrder(x *figures.Index) Verdict {
	families := map[string][]figures.Row{}
	var order []string
	for _, s := range x.Comparable() {
		key := family(s.Name)
		if families[key] == nil {
			order = append(order, key)
		}
		families[key] = append(families[key], x.Rows[s.Name])
	}
	var judged []Judgement
	v := Verdict{}
	for _, key := range order {
		missing, found := false, false
		for _, pair := range [][2]string{{"triton", "tei"}, {"tei", "fastapi"}} {
			ahead, behind := named(families[key], pair[0]), named(families[key], pair[1])
			if ahead == nil || behind == nil {
				missing = true
				continue
			}
			found = true
			judgements, evidence := inEveryColumn(*ahead, *behind)
			judged = append(judged, judgements...)
			v.Evidence = append(v.Evidence, evidence)
		}
		if missing && found { // half of the order can refute it, not prove it
			judged = append(judged, NotShownHere)
		}
	}
	v.Judgement = forAll(judged)
	switch {
	case len(judged) == 0:
		v.Text = "It takes Triton, TEI and FastAPI, or the profiles of their names, in one run."
	case v.Judgement == Holds:
		v.Text = "It does so in throughput, p95, batch efficiency and memory."
	case v.Judgement == DoesNotHold:
		v.Text = "In at least one column the order is the other way round."
	default:
		v.Text = "In at least one column it is not shown, or one of the three is missing."
	}
	return v
}

func named(rows []figures.Row, name string) *figures.Row {
	for i, r := range rows {
		if r.Stack == name || strings.HasSuffix(r.Stack, "/"+name) {
			return &rows[i]
		}
	}
	return nil
}

func inEveryColumn(ahead, behind figures.Row) ([]Judgement, Evidence) {
	var judged []Judgement
	var words []string
	for _, c := range []contest{ByThroughput, ByLatency, byEfficiency, byMemory} {
		a, b := c.Figure(ahead), c.Figure(behind)
		j, word := NotShownHere, "not shown"
		switch {
		case !a.Sound() || !b.Sound():
		case !stat.Differs(a.Values, b.Values):
			word = "no difference shown"
		case (a.Value < b.Value) == c.lowerIsBetter:
			j, word = Holds, "ahead"
		default:
			j, word = DoesNotHold, "behind"
		}
		judged = append(judged, j)
		words = append(words, fmt.Sprintf("%s %s (%s and %s)", c.topic, word, format.Number(a.Value), format.Number(b.Value)))
	}
	return judged, Evidence{ahead.Stack + " against " + behind.Stack, strings.Join(words, "; ")}
}

package quality

import (
	"math"
	"slices"
)

// depth is the k of nDCG@k: how many documents a query's ranking is judged by.
const depth = 10

// found is a document in a ranking.
type found struct {
	id    string
	score float32
}

// before orders a ranking as trec_eval does (its function of comparison in
// form_res_rels.c): by falling score in single precision, and ties by falling id.
func (f found) before(g found) bool {
	return f.score > g.score || f.score == g.score && f.id > g.id
}

// ranking keeps the best documents, the best first.
type ranking []found

func (r *ranking) add(f found) {
	if len(*r) == depth && !f.before((*r)[depth-1]) {
		return
	}
	at, _ := slices.BinarySearchFunc(*r, f, func(in, f found) int {
		if in.before(f) {
			return -1
		}
		return 1
	})
	if len(*r) < depth {
		*r = append(*r, found{})
	}
	copy((*r)[at+1:], (*r)[at:])
	(*r)[at] = f
}

// ndcg is trec_eval's ndcg_cut_10: the gains of the ranked documents, each divided
// by log2(rank+1), over those of the best ranking that there could be of all judged
// documents. A document's gain is its grade; one that is not judged, or of a grade
// below 0, gains nothing. Without a relevant document it is 0.
func (r ranking) ndcg(judged map[string]int) float64 {
	best := make([]int, 0, len(judged))
	for _, grade := range judged {
		best = append(best, grade)
	}
	slices.SortFunc(best, func(a, b int) int { return b - a })
	have, ideal := 0.0, 0.0
	for i := range depth {
		discount := math.Log2(float64(i) + 2)
		if i < len(r) {
			have += float64(max(0, judged[r[i].id])) / discount
		}
		if i < len(best) {
			ideal += float64(max(0, best[i])) / discount
		}
	}
	if ideal == 0 {
		return 0
	}
	return have / ideal
}

package bench

import (
	"cmp"
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench/driver"
)

// stratify orders texts so that every stretch of them has about the whole set's
// distribution of lengths: cells of few requests then do comparable work, and a
// batch mixes short and long as traffic does. Text i takes the length rank of the
// i-th point of the golden-ratio sequence, which is evenly spread at every length.
func (t Texts) stratify() Texts {
	n := len(t.Texts)
	byLength, byPoint := indices(n), indices(n)
	slices.SortStableFunc(byLength, func(a, b int) int { return cmp.Compare(len(t.Texts[a]), len(t.Texts[b])) })
	point := func(i int) float64 { return math.Mod(float64(i)*math.Phi, 1) }
	slices.SortStableFunc(byPoint, func(a, b int) int { return cmp.Compare(point(a), point(b)) })
	order := make([]int, n)
	for rank, i := range byPoint {
		order[i] = byLength[rank]
	}
	return t.pick(order)
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func (t Texts) pick(order []int) Texts {
	var picked Texts
	for _, i := range order {
		picked.Texts = append(picked.Texts, t.Texts[i])
		if len(t.Tokens) > 0 {
			picked.Tokens = append(picked.Tokens, t.Tokens[i])
		}
	}
	return picked
}

// batch is a request's texts, encoded for a stack.
type batch struct {
	*driver.Request
	tokens int
}

// mostBatches bounds the memory that encoded requests take; longer slices send
// them again.
const mostBatches = 1024

// batches cuts requests of size texts from the head of the texts on, and begins
// anew at the end: the same at a point for every stack and every repeat.
func (t Texts) batches(d driver.Driver, size, requests int) ([]batch, error) {
	list := make([]batch, min(requests, mostBatches))
	next := 0
	for i := range list {
		texts := make([]string, 0, size)
		tokens := 0
		for range size {
			texts = append(texts, t.Texts[next])
			if len(t.Tokens) > 0 {
				tokens += int(t.Tokens[next])
			}
			next = (next + 1) % len(t.Texts)
		}
		r, err := d.Prepare(texts)
		if err != nil {
			return nil, err
		}
		list[i] = batch{r, tokens}
	}
	return list, nil
}

package bench

import (
	"math"
	"strings"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/shape"
)

// mostShapes bounds the list of a run's requests; longer runs repeat it.
const mostShapes = 1 << 20

// shapes are the sizes of a run's requests: the draws of a mix, the recorded ones of
// a trace, or all alike.
func shapes(a *load.Arrivals, m shape.Mix, texts, requests int, seed uint64) []shape.Shape {
	n := min(max(requests, 1), mostShapes)
	switch {
	case m.Given():
		return m.Draw(n, texts, seed)
	case a == nil || a.Trace() == nil:
		return m.Draw(min(n, mostBatches), texts, seed)
	}
	recorded := a.Trace().Requests
	list := make([]shape.Shape, min(n, len(recorded)))
	for i := range list {
		list[i] = shape.Shape{Texts: max(1, recorded[i].Texts), Chars: twoDigits(recorded[i].Chars)}
		if recorded[i].Texts == 0 {
			list[i].Texts = texts
		}
	}
	return list
}

// twoDigits rounds a recorded length, so that a trace has some hundreds of shapes
// and not as many as requests.
func twoDigits(n int) int {
	if n < 100 {
		return n
	}
	unit := math.Pow(10, math.Floor(math.Log10(float64(n)))-1)
	return int(math.Round(float64(n)/unit) * unit)
}

// shaped encodes requests of the given shapes from texts taken in turn. At most
// mostBatches are encoded, or one of each shape; others of the same shape are sent
// again.
func (t Texts) shaped(d driver.Driver, list []shape.Shape) ([]batch, error) {
	pools := map[shape.Shape][]batch{}
	counted := len(t.Tokens) > 0
	for _, s := range list {
		pools[s] = nil
		counted = counted && s.Chars == 0 // else some of a cell's tokens were unknown
	}
	each := max(1, mostBatches/len(pools))
	used := map[shape.Shape]int{}
	batches := make([]batch, len(list))
	next := 0
	for i, s := range list {
		if len(pools[s]) < each {
			b, err := t.encode(d, s, &next, counted)
			if err != nil {
				return nil, err
			}
			pools[s] = append(pools[s], b)
		}
		batches[i] = pools[s][used[s]%each]
		used[s]++
	}
	return batches, nil
}

func (t Texts) encode(d driver.Driver, s shape.Shape, next *int, counted bool) (batch, error) {
	texts, tokens := make([]string, s.Texts), 0
	for i := range texts {
		if counted {
			tokens += int(t.Tokens[*next])
		}
		texts[i] = t.take(next, s.Chars)
	}
	r, err := d.Prepare(texts)
	return batch{r, tokens}, err
}

// take gives the next text; one of a given length is cut from as many as it takes,
// and ends in no space.
func (t Texts) take(next *int, chars int) string {
	one := func() string {
		text := t.Texts[*next]
		*next = (*next + 1) % len(t.Texts)
		return text
	}
	if chars == 0 {
		return one()
	}
	var b strings.Builder
	for have := 0; ; b.WriteByte(' ') {
		for _, r := range one() {
			b.WriteRune(r)
			if have++; have == chars {
				return b.String()
			}
		}
		if have++; have == chars {
			return b.String() + "."
		}
	}
}

// Package shape decides how large each request of a load is: how many texts, of
// how many characters. A distribution is given in words or taken from a recorded
// trace; from one seed come the same shapes in the same order.
//
// It holds no texts and knows no clock.
package shape

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Shape is the size of one request.
type Shape struct {
	Texts int
	Chars int // of each text; 0: the data's own
}

// Share is one value of a distribution with its weight.
type Share struct {
	Value  int
	Weight float64
}

// Mix is a distribution of shapes; texts and characters are drawn independently.
// The zero Mix is none.
type Mix struct {
	Batch []Share // texts a request
	Chars []Share // characters a text; empty: the data's own
}

// Bounds of a mix's values.
const (
	mostTexts = 1 << 16
	mostChars = 1 << 20
)

// Parse reads batch=1:0.7,8:0.2,32:0.1,chars=50:1,500:1: values with weights,
// which need not add up to 1; a value without one has the weight 1.
func Parse(text string) (m Mix, err error) {
	var to *[]Share
	limit := 0
	for item := range strings.SplitSeq(text, ",") {
		if name, rest, named := strings.Cut(item, "="); named {
			switch strings.TrimSpace(name) {
			case "batch":
				to, limit = &m.Batch, mostTexts
			case "chars":
				to, limit = &m.Chars, mostChars
			default:
				return Mix{}, fmt.Errorf("mix %q: %q is neither batch nor chars", text, name)
			}
			item = rest
		}
		if to == nil {
			return Mix{}, fmt.Errorf("mix %q: want batch=1:0.7,8:0.3 or chars=50:1,500:1 or both", text)
		}
		share, err := parseShare(strings.TrimSpace(item), limit)
		if err != nil {
			return Mix{}, fmt.Errorf("mix %q: %w", text, err)
		}
		if slices.ContainsFunc(*to, func(s Share) bool { return s.Value == share.Value }) {
			return Mix{}, fmt.Errorf("mix %q: %d stands in it twice", text, share.Value)
		}
		*to = append(*to, share)
	}
	return m, nil
}

func parseShare(text string, limit int) (Share, error) {
	value, weight, weighted := strings.Cut(text, ":")
	s := Share{Weight: 1}
	var err error
	if s.Value, err = strconv.Atoi(value); err != nil || s.Value < 1 || s.Value > limit {
		return s, fmt.Errorf("value %q: want from 1 to %d", value, limit)
	}
	if !weighted {
		return s, nil
	}
	if s.Weight, err = strconv.ParseFloat(weight, 64); err != nil || !(s.Weight > 0 && s.Weight <= 1e9) {
		return s, fmt.Errorf("weight %q: want a number above 0", weight)
	}
	return s, nil
}

// Given says whether there is a distribution at all.
func (m Mix) Given() bool { return len(m.Batch)+len(m.Chars) > 0 }

// String is what [Parse] reads.
func (m Mix) String() string {
	var parts []string
	for _, d := range []struct {
		name   string
		shares []Share
	}{{"batch", m.Batch}, {"chars", m.Chars}} {
		for i, s := range d.shares {
			part := fmt.Sprintf("%d:%g", s.Value, s.Weight)
			if i == 0 {
				part = d.name + "=" + part
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ",")
}

// MeanTexts is the mean number of texts a request; of a mix of lengths alone it is
// the given one.
func (m Mix) MeanTexts(texts int) float64 {
	if len(m.Batch) == 0 {
		return float64(texts)
	}
	sum := 0.0
	for _, s := range m.Batch {
		sum += float64(s.Value) * s.Weight
	}
	return sum / weight(m.Batch)
}

// MeanBatch is MeanTexts as a whole number of at least one.
func (m Mix) MeanBatch(texts int) int { return max(1, int(math.Round(m.MeanTexts(texts)))) }

func weight(shares []Share) (sum float64) {
	for _, s := range shares {
		sum += s.Weight
	}
	return sum
}

// Draw gives n shapes. Where the mix has no distribution of texts each request has
// the given number.
func (m Mix) Draw(n, texts int, seed uint64) []Shape {
	source := rand.New(rand.NewPCG(seed, 1))
	list := make([]Shape, n)
	for i := range list {
		list[i] = Shape{Texts: draw(m.Batch, texts, source), Chars: draw(m.Chars, 0, source)}
	}
	return list
}

func draw(shares []Share, none int, source *rand.Rand) int {
	if len(shares) == 0 {
		return none
	}
	at := source.Float64() * weight(shares)
	for _, s := range shares {
		if at -= s.Weight; at < 0 {
			return s.Value
		}
	}
	return shares[len(shares)-1].Value
}

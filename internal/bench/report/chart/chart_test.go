package chart

import (
	"bytes"
	"image/png"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestPlaceInWords: the table under a chart names its places as the axis does.
func TestPlaceInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chart Chart
		x     float64
		want  string
	}{
		{Chart{Key: percentilesKey, LogX: true}, 1, "p0"},
		{Chart{Key: percentilesKey, LogX: true}, 1 / (1 - 0.975), "p97.5"},
		{Chart{Key: percentilesKey, LogX: true}, 1 / (1 - 0.9995), "p99.95"},
		{Chart{Key: "agreement", LogX: true}, 0.0000153, "0.0000153"},
		{Chart{Key: "batch", Log2: true}, 8, "8"},
		{Chart{Key: "memory", Log2: true}, 2000, "2000"},
		{Chart{Key: "rate"}, 12.5, "12.5"},
	} {
		if have := c.chart.Place(c.x); have != c.want {
			t.Errorf("%s at %g: %q, want %q", c.chart.Key, c.x, have, c.want)
		}
	}
}

// TestRefusedSizeIsNoSlowOne: the curve ends at the last size that was served. Between
// that and the refused one nothing has the stack's colour.
func TestRefusedSizeIsNoSlowOne(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("s")
	h.Cell("s", record.SweepBatchSize, 1, 1, 20, 100)
	h.Cell("s", record.SweepBatchSize, 2, 1, 20, 100)
	h.Cell("s", record.SweepBatchSize, 4, 1, 20, 4)
	h.Last().Requests.Outcome[0], h.Last().Invalid = "4xx", "No request succeeded: too many."
	x := figures.NewIndex(h.Results)
	batch := Batch(x, []*record.Stack{&h.Stacks[0]})
	if points := batch.Series[0].Points; len(points) != 3 || !points[2].failed() || points[1].failed() {
		t.Fatalf("%+v", points)
	}
	var b bytes.Buffer
	if err := WritePNG(x, &b, "s", []*record.Stack{&h.Stacks[0]}); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	want, low := paletteColor(0), 0 // rows of the first chart's lower half, clear of its axis
	for y := 520; y < 700; y++ {
		for x := 200; x < 1150; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); uint8(r>>8) == want.R && uint8(g>>8) == want.G && uint8(b>>8) == want.B {
				low++
			}
		}
	}
	if low > 0 {
		t.Errorf("%d dots of the curve lie between the served sizes and zero", low)
	}
}

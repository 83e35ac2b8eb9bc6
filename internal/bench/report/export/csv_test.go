package export

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestCellsCSV: a line a slice; a percentile only where its own requests carry it.
func TestCellsCSV(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("s, with a comma")
	h.Cell("s, with a comma", record.SweepOnline, 1, 8, 20, 64)
	c := h.Last()
	for range 64 {
		c.Requests.Tokens = append(c.Requests.Tokens, 10)
	}
	c.Samples = record.Samples{At: []int64{0, 1e6}, CPU: []float64{3, 4.5}, RSS: []int64{1e6, 2e6}, ClientCPU: []float64{0, 0.25}}
	h.Cell("s, with a comma", record.SweepOffline, 4, 1, 20, 12)
	h.Last().Invalid = "why"
	h.Cell("s, with a comma", record.SweepRate, 3, 0, 20, 3)
	open := h.Last()
	open.Rate, open.Arrivals, open.Mix, open.Late = 12.5, "poisson", "batch=1:1,8:1", 2
	var b strings.Builder
	if err := WriteCells(figures.NewIndex(h.Results), &b); err != nil {
		t.Fatal(err)
	}
	// 64 requests carry p50 and p90; three carry none.
	want := strings.Join(cellColumns, ",") + `
0,"s, with a comma",online,,1,8,0,0,,,0,0001-01-01T00:00:00Z,1,64,64,0,64,64,640,20,20,,,1.5,0.25,2,
1,"s, with a comma",offline,,4,1,0,0,,,0,0001-01-01T00:00:00Z,1,3,3,0,12,12,,,,,,,,,why
2,"s, with a comma",rate,,3,0,0,12.5,poisson,"batch=1:1,8:1",0,0001-01-01T00:00:00Z,1,1,1,2,3,3,,,,,,,,,
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

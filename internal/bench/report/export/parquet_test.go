package export

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestRequestsParquet: every request of every cell is a row, as it was recorded, and
// the same records give the same bytes.
func TestRequestsParquet(t *testing.T) {
	t.Parallel()
	r := reporttest.Only(reporttest.Whole(1), "paceline/triton") // which has slices that failed
	r.Cells[0].Requests.Tokens = make([]int32, len(r.Cells[0].Requests.Outcome))
	r.Cells[0].Requests.Tokens[1] = 68
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := WriteRequests(figures.NewIndex(r), b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same records give other bytes")
	}
	rows, err := parquet.Read[request](bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	at, invalid := 0, 0
	for place, c := range r.Cells {
		for i := range c.Requests.Outcome {
			row := rows[at]
			if int(row.Cell) != place || row.Stack != c.Stack || row.Finished != c.Requests.Finished[i] || row.Intended != c.Requests.Intended[i] ||
				row.Started != c.Started.UnixMicro() || row.Valid != (c.Invalid == "") || row.Rate != c.Rate {
				t.Fatalf("row %d: %+v is not request %d of cell %d", at, row, i, place)
			}
			if !row.Valid {
				invalid++
			}
			at++
		}
	}
	if at != len(rows) || invalid == 0 {
		t.Errorf("%d rows for %d requests, %d of them invalid", len(rows), at, invalid)
	}
	if rows[1].Tokens == nil || *rows[1].Tokens != 68 || rows[len(rows)-1].Tokens != nil {
		t.Error("tokens are not as they were recorded")
	}
}

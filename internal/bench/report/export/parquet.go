package export

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// RequestsFile has a row for every request of every slice.
const RequestsFile = "requests.parquet"

// request is a row. Times are microseconds from the start of its slice; what the
// slice has in common stands in every row, which the encoding keeps small.
type request struct {
	Cell        int32   `parquet:"cell,dict"` // in results.json
	Stack       string  `parquet:"stack,dict"`
	Sweep       string  `parquet:"sweep,dict"`
	Scenario    string  `parquet:"scenario,dict"`
	BatchSize   int32   `parquet:"batch_size,dict"`
	Concurrency int32   `parquet:"concurrency,dict"`
	TextLength  int32   `parquet:"text_length,dict"`
	Rate        float64 `parquet:"rate,dict"`
	Arrivals    string  `parquet:"arrivals,dict"`
	Mix         string  `parquet:"mix,dict"`
	Repeat      int32   `parquet:"repeat,dict"`
	Started     int64   `parquet:"started,dict,timestamp(microsecond)"` // of the slice
	Valid       bool    `parquet:"valid"`                               // whether the slice passed its checks
	Intended    int64   `parquet:"intended_us,delta"`
	Sent        int64   `parquet:"sent_us,delta"`
	Finished    int64   `parquet:"finished_us,delta"`
	Texts       int32   `parquet:"texts,dict"`
	Tokens      *int32  `parquet:"tokens,optional"`
	Outcome     string  `parquet:"outcome,dict"`
}

// WriteRequests writes the raw records of all requests as Parquet.
func WriteRequests(x *figures.Index, w io.Writer) error {
	out := parquet.NewGenericWriter[request](w, parquet.Compression(&zstd.Codec{}))
	for i := range x.Results.Cells {
		if _, err := out.Write(requests(i, &x.Results.Cells[i])); err != nil {
			return err
		}
	}
	return out.Close()
}

func requests(place int, c *record.Cell) []request {
	q := &c.Requests
	rows := make([]request, len(q.Outcome))
	for i := range rows {
		rows[i] = request{
			Cell: int32(place), Stack: c.Stack, Sweep: string(c.Sweep), Scenario: c.Scenario, BatchSize: int32(c.BatchSize), Concurrency: int32(c.Concurrency),
			TextLength: int32(c.TextLength), Rate: c.Rate, Arrivals: c.Arrivals, Mix: c.Mix, Repeat: int32(c.Repeat), Started: c.Started.UnixMicro(), Valid: c.Invalid == "",
			Intended: q.Intended[i], Sent: q.Sent[i], Finished: q.Finished[i], Texts: q.Texts[i], Outcome: q.Outcome[i],
		}
		if len(q.Tokens) == len(rows) {
			rows[i].Tokens = &q.Tokens[i]
		}
	}
	return rows
}

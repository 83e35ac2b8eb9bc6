package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// typedRow is a row of a Parquet file with a column of every kind.
type typedRow struct {
	ID    int64   `parquet:"id"`
	Text  *string `parquet:"text,optional"`
	Score float64 `parquet:"score"`
	Good  bool    `parquet:"good"`
	Meta  struct {
		URL *string `parquet:"url,optional"`
	} `parquet:"meta"`
	When int64    `parquet:"when,timestamp(millisecond)"`
	Tags []string `parquet:"tags,list"`
}

func typedParquet(t testing.TB, rows int) string {
	t.Helper()
	var file bytes.Buffer
	writer := parquet.NewGenericWriter[typedRow](&file, parquet.PageBufferSize(64), parquet.MaxRowsPerRowGroup(300))
	for i := range rows {
		r := typedRow{ID: int64(i) - 5, Score: float64(i) / 4, Good: i%2 == 0, When: 7, Tags: []string{"a", "b"}}
		if i%7 != 3 {
			text := fmt.Sprintf("text %d", i)
			r.Text, r.Meta.URL = &text, &text
		}
		if _, err := writer.Write([]typedRow{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

func readRows(t *testing.T, path string, want Selection) (rows []Row, err error) {
	t.Helper()
	f, err := Open(path, "")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for row, err := range f.Rows(want) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func TestParquetRows(t *testing.T) {
	t.Parallel()
	path := write(t, "a.parquet", typedParquet(t, 1000))
	rows, err := readRows(t, path, Selection{Keep: []string{"good", "id", "meta.url", "score"}})
	if err != nil || len(rows) != 1000 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		text, url := fmt.Sprintf("text %d", i), any(fmt.Sprintf("text %d", i))
		if i%7 == 3 {
			text, url = "", nil
		}
		want := Row{Number: int64(i) + 1, Text: text, Values: []any{i%2 == 0, int64(i) - 5, url, float64(i) / 4}, Offset: row.Offset}
		if !reflect.DeepEqual(row, want) {
			t.Fatalf("row %d: %+v, want %+v", i, row, want)
		}
	}
	f, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := []Column{{"id", KindInt}, {"text", KindText}, {"score", KindFloat}, {"good", KindBool}, {"meta.url", KindText}}
	if !reflect.DeepEqual(f.Columns, want) || f.IDColumn() != "id" {
		t.Errorf("columns %v, want %v", f.Columns, want)
	}
	if last := rows[len(rows)-1].Offset; last != f.Bytes {
		t.Errorf("the last row ends at %d of %d bytes", last, f.Bytes)
	}
}

func TestRowsOfText(t *testing.T) {
	t.Parallel()
	raw := func(s string) any { return json.RawMessage(s) }
	for _, c := range []struct {
		name, content string
		want          Selection
		rows          []Row
	}{
		{"a.txt", "one\n\n two\r\n", Selection{}, []Row{{Number: 1, Text: "one"}, {Number: 2}, {Number: 3, Text: " two"}}},
		{"a.tsv", "\ufeff7\tone\n8\ttwo\n", Selection{Keep: []string{"id"}}, []Row{{Number: 1, Text: "one", Values: []any{"7"}}, {Number: 2, Text: "two", Values: []any{"8"}}}},
		{"a.jsonl", "\n" + `{"_id": 7, "title": "T", "text": "one", "x": {"y": 1}}` + "\n\n" + `{"text": null, "x": null}` + "\n" + `{"_id": "q"}`,
			Selection{Keep: []string{"x", "_id"}},
			[]Row{{Number: 2, Text: "T one", Values: []any{raw(`{"y": 1}`), raw("7")}}, {Number: 4, Values: []any{nil, nil}}, {Number: 5, Missing: true, Values: []any{nil, raw(`"q"`)}}}},
		{"b.jsonl", `{"title": "T", "q": "one", "text": "other"}`, Selection{Text: "q"}, []Row{{Number: 1, Text: "one"}}},
		{"a.json", `[{"id": 1, "text": "one"}, {"id": 2, "text": "two"}]`, Selection{Keep: []string{"id"}}, []Row{{Number: 1, Text: "one", Values: []any{raw("1")}}, {Number: 2, Text: "two", Values: []any{raw("2")}}}},
		{"a.csv", "id,Text,n\n7,\"one\nline\",x\n8,two,\n", Selection{Keep: []string{"n", "id"}}, []Row{{Number: 2, Text: "one\nline", Values: []any{"x", "7"}}, {Number: 4, Text: "two", Values: []any{"", "8"}}}},
		{"b.csv", "id,text,n\n7,one,x\n", Selection{Text: "n"}, []Row{{Number: 2, Text: "x"}}},
	} {
		for _, packed := range []bool{false, true} {
			name, content := c.name, c.content
			if packed {
				name, content = name+".gz", gzipped(t, content)
			}
			rows, err := readRows(t, write(t, name, content), c.want)
			for i := range rows {
				rows[i].Offset = 0
				if len(rows[i].Values) == 0 {
					rows[i].Values = nil
				}
			}
			if err != nil || !reflect.DeepEqual(rows, c.rows) {
				t.Errorf("%s: %+v, %v, want %+v", name, rows, err, c.rows)
			}
		}
	}
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRowsErrorsNameThePlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		sel           Selection
		want          string
	}{
		{"a.jsonl", `{"id": 1, "txt": "one"}`, Selection{}, "line 1: no text in this object: want one of the fields text"},
		{"b.jsonl", `{"id": 1, "text": "one"}`, Selection{Text: "body"}, "line 1: no text in this object: want the field body"},
		{"c.jsonl", `{"id": 1, "text": "one"}` + "\n" + `{"text": [1, 2]}`, Selection{}, "line 2: the field text holds [1, 2], not text"},
		{"d.jsonl", `{"id": 1, "text": "one"}`, Selection{Keep: []string{"url"}}, `there is no column "url" to keep: there are id, text`},
		{"e.txt", "one", Selection{Keep: []string{"id"}}, "the rows have none beside the text"},
		{"f.csv", "id,text\n1,one\n", Selection{Text: "body"}, `line 1: no column is named body: ["id" "text"]`},
		{"g.parquet", typedParquet(t, 3), Selection{Text: "id"}, "column id holds INT64, not text"},
		{"h.parquet", typedParquet(t, 3), Selection{Keep: []string{"when"}}, `there is no column "when" to keep`},
		{"i.parquet", typedParquet(t, 3), Selection{Text: "tags", Keep: []string{"id"}}, "no other column can be kept beside them"},
		{"j.txt.gz", "no gzip, though it is long enough", Selection{}, "gzip: invalid header"},
	} {
		if _, err := readRows(t, write(t, c.name, c.content), c.sel); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestStreamIsNoParquet(t *testing.T) {
	t.Parallel()
	if _, err := OpenStream("stdin", strings.NewReader("PAR1"), Parquet); err == nil || !strings.Contains(err.Error(), "give the name of a file") {
		t.Error(err)
	}
	f, err := OpenStream("stdin", strings.NewReader("one\ntwo\n"), Lines)
	if err != nil || f.Bytes != 0 {
		t.Fatal(err)
	}
	n := 0
	for row, err := range f.Rows(Selection{}) {
		if n++; err != nil || row.Number != int64(n) {
			t.Error(row, err)
		}
	}
}

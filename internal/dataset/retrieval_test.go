package dataset

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// folder writes files by name.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scidocs")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadRetrieval(t *testing.T) {
	t.Parallel()
	const (
		corpus  = `{"_id":"d1","title":"Wings","text":"of birds"}` + "\n\n" + `{"id":2,"text":"Bees"}` + "\n" + `{"id":"d3","title":"","text":""}` + "\n"
		queries = `{"_id":"q1","text":"what flies?"}` + "\n" + `{"_id":"q2","text":"nobody judged this"}` + "\n"
		qrels   = "query-id\tcorpus-id\tscore\r\nq1\td1\t2\r\nq1\t2\t0\r\n"
	)
	want := &Retrieval{
		Name: "scidocs", Documents: []Document{{"d1", "Wings of birds"}, {"2", "Bees"}, {"d3", ""}},
		Queries: []Document{{"q1", "what flies?"}}, Judged: map[string]map[string]int{"q1": {"d1": 2, "2": 0}},
	}
	for _, at := range []string{"qrels.tsv", "qrels/test.tsv"} {
		dir := folder(t, map[string]string{"corpus.jsonl": corpus, "queries.jsonl": queries, at: qrels})
		if got, err := LoadRetrieval(t.Context(), dir); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", at, got, err, want)
		}
	}
	for name, c := range map[string]struct{ corpus, queries, qrels, want string }{
		"no judgment of a query": {corpus, queries, "q9\td1\t1\n", "not one of 2 queries"},
		"a column too few":       {corpus, queries, "q1\td1\n", "line 1: 2 columns"},
		"a grade in words":       {corpus, queries, "q1\td1\t1\nq1\t2\tgood\n", `line 2: the grade "good"`},
		"an id twice":            {corpus + `{"_id":"d1","text":"again"}`, queries, qrels, "text 4: the id \"d1\" came before"},
		"no id":                  {`{"text":"x"}`, queries, qrels, "text 1: want an _id or id"},
		"an id of nothing":       {`{"_id":"","text":"x"}`, queries, qrels, "text 1: want an _id or id"},
		"no JSON":                {"x", queries, qrels, "text 1"},
		"not UTF-8":              {"{\"_id\":\"a\xff\",\"text\":\"x\"}", queries, qrels, "not UTF-8"},
		"nothing":                {"", queries, qrels, "no texts"},
	} {
		dir := folder(t, map[string]string{"corpus.jsonl": c.corpus, "queries.jsonl": c.queries, "qrels.tsv": c.qrels})
		if got, err := LoadRetrieval(t.Context(), dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want an error with %q", name, got, err, c.want)
		}
	}
	if _, err := LoadRetrieval(t.Context(), folder(t, map[string]string{"corpus.jsonl": corpus})); err == nil || !strings.Contains(err.Error(), "judgments") {
		t.Errorf("%v: want one that names the judgments", err)
	}
}

func TestLoadPairs(t *testing.T) {
	t.Parallel()
	want := []Pair{{"A girl, styling", "B", 2.5}, {"C", "D", 5}}
	for name, text := range map[string]string{
		"plain":     "\"A girl, styling\",B,2.5\nC,D,5.0\n",
		"with head": "sentence1,sentence2,score\r\n\"A girl, styling\",B, 2.5\r\nC,D,5\r\n",
	} {
		dir := folder(t, map[string]string{"sts-test.csv": text, "sts-dev.csv": "x"})
		got, err := LoadPairs(t.Context(), dir)
		if err != nil || got.Name != "sts-test.csv" || !reflect.DeepEqual(got.List, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":          {"", "no texts"},
		"a head alone":     {"a,b,score\n", "no texts"},
		"a column less":    {"a,b\n", "wrong number of fields"},
		"a score in words": {"a,b,1\nc,d,much\n", `line 2: the score "much"`},
		"no number":        {"a,b,1\nc,d,NaN\n", "line 2"},
		"an empty one":     {"a,b,1\n ,d,2\n", "line 2: a sentence is empty"},
		"not UTF-8":        {"a,b,1\n\xff,d,2\n", "line 2: not UTF-8"},
	} {
		if got, err := LoadPairs(t.Context(), folder(t, map[string]string{"test.csv": c.text})); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v; want an error with %q", name, got, err, c.want)
		}
	}
	if _, err := LoadPairs(t.Context(), folder(t, map[string]string{"a-test.csv": "", "b-test.csv": ""})); err == nil || !strings.Contains(err.Error(), "2 files") {
		t.Errorf("%v: want one that counts the files", err)
	}
}

// FuzzJudgments: whatever the file, an error or judgments, and no panic.
func FuzzJudgments(f *testing.F) {
	f.Add("query-id\tcorpus-id\tscore\n1\t2\t3\n")
	f.Add("1\t2\t-1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if judged, err := parseJudgments(strings.NewReader(text)); err == nil && judged == nil {
			t.Error("neither judgments nor an error")
		}
		_, _ = parseDocument(text)
		_, _ = parsePairs(t.Context(), strings.NewReader(text))
	})
}

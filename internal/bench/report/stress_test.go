package report

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// stressFiles writes the files of a stress test of 20 windows of 10 requests of 32
// texts a second, each 50 ms long, and returns the result's path.
func stressFiles(t *testing.T, whole bool) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "stress_test_results_20260102")
	file, err := os.Create(base + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zip := gzip.NewWriter(file)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for w := range 20 {
		c := record.Cell{Stack: "http://127.0.0.1:8080", Sweep: record.SweepStress, BatchSize: 32, Concurrency: 4, Repeat: w, Started: start.Add(time.Duration(w) * time.Second), Seconds: 1}
		for i := range 10 {
			sent := time.Duration(i)*100*time.Millisecond - 20*time.Millisecond
			c.Requests.Add(sent, sent, sent+50*time.Millisecond, 32, 0, "ok")
		}
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		zip.Write(append(line, '\n'))
		zip.Flush()
	}
	if whole {
		zip.Close()
	}
	head := `{"total_requests":200,"door":"TEI /embed, JSON","warnings":[{"code":"trend","text":"Drifted.","advice":"Look."}],"manifest":{"started":"2026-01-02T03:04:05Z","command":["paceline","stress"],"model":{"name":"tiny"}}}`
	if err := os.WriteFile(base+".json", []byte(head), 0o644); err != nil {
		t.Fatal(err)
	}
	return base + ".json"
}

// TestStressRenders: by its result or by its records, whole or cut off by a kill, a
// stress test is a report of its own with its load's figures and warnings.
func TestStressRenders(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{true, false} {
		path := stressFiles(t, whole)
		for _, path := range []string{path, strings.TrimSuffix(path, ".json") + stressRecords} {
			r, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := Summarize(r).WriteText(&text, table.Terminal{}); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"http://127.0.0.1:8080", "320", "50.0", "One load for the whole time", "TEI /embed", "Drifted. Look.", "p99 latency", "!320 [1]", "[1] throughput: not valid. Drifted. Look."} {
				if !strings.Contains(text.String(), want) {
					t.Errorf("whole %v: %q is not in\n%s", whole, want, text.String())
				}
			}
			if strings.Contains(text.String(), "Recommendations") {
				t.Error("one load on one service recommends something")
			}
			if dir := Dir(path); filepath.Base(dir) != "stress_test_results_20260102" {
				t.Errorf("its report goes to %s", dir)
			}
		}
	}
	bad := filepath.Join(t.TempDir(), "x.jsonl.gz")
	os.WriteFile(bad, []byte("not gzip"), 0o644)
	if _, err := Read(bad); err == nil {
		t.Error("read what is not gzip")
	}
	var begun bytes.Buffer
	zip := gzip.NewWriter(&begun)
	zip.Write([]byte(`{"stack":"http://127.0.0.1:8080","swe`))
	zip.Flush()
	os.WriteFile(bad, begun.Bytes(), 0o644)
	if _, err := Read(bad); err == nil || !strings.Contains(err.Error(), "no whole window") {
		t.Errorf("of a test that was cut at once: %v", err)
	}
	for _, content := range [][]byte{nil, begun.Bytes()} {
		os.WriteFile(bad+".partial", content, 0o644)
		if r, err := Read(bad + ".partial"); err != nil || len(r.Cells) > 0 {
			t.Errorf("of a test that has just begun, whose live page waits for its first window: %v", err)
		}
	}
}

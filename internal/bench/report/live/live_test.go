package live

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spoolLines are cells as paceline bench spools them.
func spoolLines(t *testing.T, cells []record.Cell) string {
	t.Helper()
	var b strings.Builder
	for i := range cells {
		line, err := json.Marshal(&cells[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// watched serves a directory until the test's end and returns its address, and how
// to end it.
func watched(t *testing.T, dir string) (address string, end func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, dir, listener) }()
	t.Cleanup(stop)
	return "http://" + listener.Addr().String() + "/", func() error { stop(); return <-done }
}

func get(t *testing.T, address string) string {
	t.Helper()
	reply, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %.200s", reply.Status, err, body)
	}
	return string(body)
}

// TestRunGrows follows a run from its first cell to its results: every step is told
// to the browser, a line that is half written is not read, and the end ends all.
func TestRunGrows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := reporttest.Demo(2)
	spool := filepath.Join(dir, spoolFile)
	lines := spoolLines(t, r.Cells[:10])
	half := len(lines) - 50
	appendFile(t, spool, lines[:half])
	head, err := json.Marshal(record.Results{Schema: record.Schema, Manifest: r.Manifest, Stacks: r.Stacks[:2]})
	if err != nil {
		t.Fatal(err)
	}
	appendFile(t, filepath.Join(dir, headFile), string(head))
	address, end := watched(t, dir)
	if html := get(t, address); !strings.Contains(html, "9 timed slices passed") || !strings.Contains(html, "under way") || !strings.Contains(html, "all-MiniLM-L6-v2@") || !strings.Contains(html, "connect-src &#39;self&#39;") && !strings.Contains(html, "connect-src 'self'") {
		t.Errorf("nine whole cells and a half:\n%.3000s", html)
	}

	stream, err := http.Get(address + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	events := bufio.NewScanner(stream.Body)
	next := func() string {
		for events.Scan() {
			if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatalf("the stream of events ended: %v", events.Err())
		return ""
	}
	first := next()
	appendFile(t, spool, lines[half:]+spoolLines(t, r.Cells[10:12]))
	if second := next(); second == first {
		t.Error("the records grew and the version stayed")
	}
	if html := get(t, address); !strings.Contains(html, "12 timed slices passed") {
		t.Error("the page has not the cells that came")
	}

	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	appendFile(t, filepath.Join(dir, report.ResultsFile), string(data))
	if err := os.Remove(spool); err != nil {
		t.Fatal(err)
	}
	next()
	if html := get(t, address); !strings.Contains(html, fmt.Sprintf("%d timed slices passed", len(r.Cells))) || !strings.Contains(html, "is finished") {
		t.Error("the results are there and not shown")
	}
	if err := end(); err != nil {
		t.Errorf("ended by the reader: %v", err)
	}
	for events.Scan() {
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestNoRun(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), t.TempDir(), listener); err == nil || !strings.Contains(err.Error(), "holds no run") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("its listener is left open")
	}
	dir := t.TempDir()
	appendFile(t, filepath.Join(dir, spoolFile), "{not json}\n")
	if _, err := open(dir); err == nil || !strings.Contains(err.Error(), "cell 0") {
		t.Errorf("a broken spool: %v", err)
	}
}

// TestStressGrows: the records of a stress test are followed too, and found again when
// they take their name.
func TestStressGrows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stress.jsonl.gz.partial")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(file)
	window := func(n int) {
		c := record.Cell{Stack: "http://127.0.0.1:8080", Sweep: record.SweepStress, BatchSize: 1, Concurrency: 1, Repeat: n, Seconds: 1}
		for range 10 { // enough for a window to stay one
			c.Requests.Add(0, 0, 1e7, 1, 0, "ok")
		}
		if _, err := zip.Write([]byte(spoolLines(t, []record.Cell{c}))); err != nil {
			t.Fatal(err)
		}
		if err := zip.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	window(0)
	s, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	has := func(windows int, finished bool) {
		t.Helper()
		r, err := s.results()
		if err != nil || len(r.Cells) != windows || s.finished() != finished {
			t.Errorf("%d windows, finished %v, want %d, %v: %v", len(r.Cells), s.finished(), windows, finished, err)
		}
	}
	has(1, false)
	window(1)
	if grew, err := s.read(); !grew || err != nil {
		t.Errorf("a window more: %v, %v", grew, err)
	}
	has(2, false)
	window(2)
	if err := errors.Join(zip.Close(), file.Close(), os.Rename(path, strings.TrimSuffix(path, ".partial"))); err != nil {
		t.Fatal(err)
	}
	if grew, err := s.read(); !grew || err != nil {
		t.Errorf("it has its name: %v, %v", grew, err)
	}
	has(3, true)
	if grew, _ := s.read(); grew {
		t.Error("it grows after its end")
	}
}

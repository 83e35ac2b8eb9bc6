package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// stressed runs paceline stress against a service of one-valued vectors, and
// interrupts it when that has seen so many requests, unless that is 0.
func stressed(t *testing.T, interruptAt int64, args ...string) (stdout, stderr, dir string) {
	t.Helper()
	reached := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Texts []string }
		json.NewDecoder(r.Body).Decode(&body)
		fmt.Fprintf(w, `{"embeddings":[%s]}`, strings.TrimSuffix(strings.Repeat("[1],", len(body.Texts)), ","))
		if requests.Add(1) == interruptAt {
			close(reached)
		}
	}))
	defer server.Close()
	dir = t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Args = append([]string{"paceline", "stress", "--url", server.URL, "--out", dir}, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-reached:
		cmd.Process.Signal(syscall.SIGINT)
	case err := <-ended:
		ended <- err
	}
	if err := <-ended; err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	return out.String(), log.String(), dir
}

func stressResult(t *testing.T, dir string) (result map[string]any) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "stress_test_results_*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("results: %v, %v", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, result["records"].(string))); err != nil {
		t.Error(err)
	}
	return result
}

// TestStressCommand: the proof of concept's members are there, the summary is on
// stdout and nothing but JSON lines on stderr.
func TestStressCommand(t *testing.T) {
	t.Parallel()
	stdout, stderr, dir := stressed(t, 0, "--duration", "300ms", "--batch-size", "3", "--max-concurrent-requests", "2")
	r := stressResult(t, dir)
	for _, name := range []string{"test_duration_seconds", "total_requests", "successful_requests", "requests_per_second", "success_rate"} {
		if v, ok := r[name].(float64); !ok || v <= 0 {
			t.Errorf("%s: %v", name, r[name])
		}
	}
	latency := r["latency_metrics"].(map[string]any)
	for _, name := range []string{"mean", "p50", "p90", "p99"} {
		if v, ok := latency[name].(float64); !ok || v <= 0 || v > 1 {
			t.Errorf("latency_metrics.%s: %v seconds", name, latency[name])
		}
	}
	if len(latency) != 4 || r["interrupted"] != false {
		t.Errorf("%v", r)
	}
	if !strings.Contains(stdout, "requests in 0.3") && !strings.Contains(stdout, "requests in 0.4") {
		t.Errorf("stdout: %s", stdout)
	}
	for lines := bufio.NewScanner(strings.NewReader(stderr)); lines.Scan(); {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("a log line that is no JSON: %s", lines.Text())
		}
	}
}

// TestStressSummaryDoubts: what a person sees names no percentile that six requests,
// or one, cannot carry, and says why.
func TestStressSummaryDoubts(t *testing.T) {
	t.Parallel()
	for rate, said := range map[string][]string{
		"20": {"6 requests in ", "! 6 successes are too few for p50, p90, p99. Run longer.\n"},
		"3":  {"1 request in ", "! 1 success is too few for p50, p90, p99. Run longer.\n"},
	} {
		stdout, _, _ := stressed(t, 0, "--duration", "300ms", "--rate", rate, "--arrivals", "constant")
		for _, want := range append(said, ", p50 -, p90 -, p99 -\n") {
			if !strings.Contains(stdout, want) {
				t.Errorf("at %s requests/s: %q is not in %s", rate, want, stdout)
			}
		}
	}
}

// TestStressCtrlC: an early end is an ordinary one, and marked.
func TestStressCtrlC(t *testing.T) {
	t.Parallel()
	_, _, dir := stressed(t, 50, "--duration-minutes", "10")
	if r := stressResult(t, dir); r["interrupted"] != true || r["successful_requests"].(float64) < 1 {
		t.Errorf("interrupted: %v, successes: %v", r["interrupted"], r["successful_requests"])
	}
}

// TestStressNothingSucceeds: a load that no request survived is a failure, with
// its result written all the same.
func TestStressNothingSucceeds(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Texts []string }
		json.NewDecoder(r.Body).Decode(&body)
		if len(body.Texts) > 1 {
			http.Error(w, "one at a time", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"embeddings":[[1]]}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Args = []string{"paceline", "stress", "--url", server.URL, "--out", dir, "--duration", "200ms", "--batch-size", "2"}
	log, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(log), "requests succeeded") {
		t.Errorf("%v: %s", err, log)
	}
	r := stressResult(t, dir)
	if said := r["error_messages"].(map[string]any); r["successful_requests"] != 0.0 || len(said) != 1 || said["4xx"] == nil {
		t.Errorf("successes %v, errors %v", r["successful_requests"], said)
	}
}

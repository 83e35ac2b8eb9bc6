package sample

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// The pages are as Prometheus' Python and Go clients and Triton write them.
func TestParseMetrics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page string
		want Usage
		err  bool
	}{
		"a client library's": {"# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 12.75\nprocess_resident_memory_bytes 1.23456e+08\nprocess_open_fds 11.0\n",
			Usage{CPUSeconds: 12.75, RSSBytes: 123456000}, false},
		"with labels and times": {"process_resident_memory_bytes{job=\"a } b\",x=\"\\\"\"} 7 1700000000000\nprocess_cpu_seconds_total{} 1\n",
			Usage{CPUSeconds: 1, RSSBytes: 7}, false},
		"Triton's": {"nv_inference_count{model=\"m\",version=\"1\"} 5\n" +
			"nv_gpu_utilization{gpu_uuid=\"GPU-1\"} 0.5\nnv_gpu_utilization{gpu_uuid=\"GPU-2\"} 1\n" +
			"nv_gpu_memory_used_bytes{gpu_uuid=\"GPU-1\"} 100\nnv_gpu_memory_used_bytes{gpu_uuid=\"GPU-2\"} 200\n" +
			"nv_gpu_power_usage{gpu_uuid=\"GPU-1\"} 60.5\nnv_energy_consumption{gpu_uuid=\"GPU-1\"} 1000\n",
			Usage{GPU: &GPU{Count: 2, Utilization: 75, Bytes: 300, Watts: 60.5, Joules: 1000}}, false},
		"TEI's, which tells of neither": {"te_request_count{method=\"batch\"} 3\n", Usage{}, true},
		"values that cannot be":         {"process_resident_memory_bytes NaN\nprocess_resident_memory_bytes -5\nprocess_resident_memory_bytes 1e300\n", Usage{}, true},
		"labels that do not end":        {"process_resident_memory_bytes{a=\"b 5\n", Usage{}, true},
		"no page of metrics":            {"<html>not found</html>", Usage{}, true},
		"a name that only begins alike": {"process_resident_memory_bytes_peak 5\n", Usage{}, true},
	} {
		got, err := parseMetrics(strings.NewReader(c.page))
		if (err != nil) != c.err {
			t.Errorf("%s: error %v", name, err)
		}
		if c.want.GPU != nil && got.GPU != nil && *c.want.GPU == *got.GPU {
			c.want.GPU = got.GPU
		}
		if err == nil && got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMetricsSource(t *testing.T) {
	t.Parallel()
	page := "process_cpu_seconds_total 2\nprocess_resident_memory_bytes 1000\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	source, err := Metrics(t.Context(), server.URL+"/metrics")
	if err != nil || source.From() != record.FromMetrics {
		t.Fatal(source, err)
	}
	columns, peak := Start(source).Stop(time.Now())
	if n := len(columns.At); len(columns.CPU) != n || columns.CPU[0] != 2 || columns.RSS[0] != 1000 || peak != 1000 {
		t.Errorf("%+v, peak %d", columns, peak)
	}
	if columns.MinorFaults != nil || columns.Threads != nil || columns.PSS != nil {
		t.Errorf("%+v: a page of metrics tells no faults, threads and PSS", columns)
	}
	if _, err := Metrics(t.Context(), server.URL+"/other"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v: want the status", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Read(ctx, 0); err == nil {
		t.Error("a reading after the end of its context")
	}
}

// FuzzMetrics: whatever the page, no figure below 0.
func FuzzMetrics(f *testing.F) {
	f.Add("process_resident_memory_bytes{a=\"}\"} 5 6\nnv_gpu_utilization{} 0.5")
	f.Add("process_cpu_seconds_total 1e5\n# x\n{")
	f.Fuzz(func(t *testing.T, page string) {
		u, err := parseMetrics(strings.NewReader(page))
		if err == nil && (u.CPUSeconds < 0 || u.RSSBytes < 0 || u.GPU != nil && (u.GPU.Bytes < 0 || u.GPU.Joules < 0)) {
			t.Errorf("%q: %+v", page, u)
		}
	})
}

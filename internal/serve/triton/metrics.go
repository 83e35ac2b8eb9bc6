package triton

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/mem"
)

// metric descriptions, under the reference server's names.
var (
	byModel  = []string{"model", "version"}
	success  = describe("nv_inference_request_success", "Number of successful inference requests, all batch sizes", byModel...)
	failed   = describe("nv_inference_request_failure", "Number of failed inference requests, all batch sizes", "model", "version", "reason")
	inferred = describe("nv_inference_count", "Number of inferences performed (does not include cached requests)", byModel...)
	executed = describe("nv_inference_exec_count", "Number of model executions performed (does not include cached requests)", byModel...)
	total    = describe("nv_inference_request_duration_us", "Cumulative inference request duration in microseconds (includes cached requests)", byModel...)
	queued   = describe("nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds (includes cached requests)", byModel...)
	input    = describe("nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds (does not include cached requests)", byModel...)
	infer    = describe("nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds (does not include cached requests)", byModel...)
	output   = describe("nv_inference_compute_output_duration_us", "Cumulative inference compute output duration in microseconds (does not include cached requests)", byModel...)
	pending  = describe("nv_inference_pending_request_count", "Instantaneous number of pending requests awaiting execution per-model.", byModel...)

	cpuUse      = describe("nv_cpu_utilization", "CPU utilization rate [0.0 - 1.0]")
	memoryTotal = describe("nv_cpu_memory_total_bytes", "CPU total memory (RAM), in bytes")
	memoryUsed  = describe("nv_cpu_memory_used_bytes", "CPU used memory (RAM), in bytes")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe sends nothing: which models there are changes.
func (s *Server) Describe(chan<- *prometheus.Desc) {}

// Collect reads the statistics of all models that answer.
func (s *Server) Collect(to chan<- prometheus.Metric) {
	for _, m := range s.all() {
		m.collect(to)
	}
	// Since the last time that somebody asked; the first time it is 0.
	if use, err := cpu.Percent(0, false); err == nil && len(use) == 1 {
		to <- prometheus.MustNewConstMetric(cpuUse, prometheus.GaugeValue, use[0]/100)
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		to <- prometheus.MustNewConstMetric(memoryTotal, prometheus.GaugeValue, float64(memory.Total))
		to <- prometheus.MustNewConstMetric(memoryUsed, prometheus.GaugeValue, float64(memory.Used))
	}
}

func (m *served) collect(to chan<- prometheus.Metric) {
	labels := []string{m.name, strconv.FormatInt(m.version, 10)}
	counter := func(d *prometheus.Desc, v float64, more ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, append(labels[:2:2], more...)...)
	}
	us := func(d time.Duration) float64 { return float64(d / time.Microsecond) }
	s := &m.stats
	to <- prometheus.MustNewConstMetric(pending, prometheus.GaugeValue, float64(m.pending()), labels...)
	s.mu.Lock()
	defer s.mu.Unlock()
	counter(success, float64(s.success.n))
	for why, f := range s.failures {
		counter(failed, float64(f.n), failureNames[why])
	}
	counter(inferred, float64(s.inferences))
	counter(executed, float64(s.executions))
	counter(total, us(s.success.ns))
	counter(queued, us(s.spent.queue))
	counter(input, us(s.spent.input))
	counter(infer, us(s.spent.infer))
	counter(output, us(s.spent.output))
}

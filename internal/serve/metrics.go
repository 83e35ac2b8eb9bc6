package serve

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// metrics are what GET /metrics tells: the names of the FastAPI-style services,
// those of TEI that have a meaning here, and where the time goes. They live in a
// registry of their own, so that a process may hold several servers.
type metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec // model, type
	embeddings *prometheus.CounterVec // model
	duration   *prometheus.HistogramVec
	active     prometheus.Gauge
	queueWait  prometheus.Histogram
	tokenize   prometheus.Histogram
	inference  prometheus.Histogram
	batchSize  prometheus.Histogram
	batchTexts prometheus.Histogram
	batchToken prometheus.Histogram
	errors     *prometheus.CounterVec // kind

	teCount   *prometheus.CounterVec // method
	teSuccess *prometheus.CounterVec
	teFailure *prometheus.CounterVec // err
	teTotal   prometheus.Histogram
	teTokens  prometheus.Histogram
	teQueue   prometheus.Histogram
	teInfer   prometheus.Histogram
	teLength  prometheus.Histogram
	teNext    prometheus.Histogram
	teNextTok prometheus.Histogram
}

// Buckets: times from 100 us to about 50 s, and counts, in powers.
var (
	timeBuckets  = prometheus.ExponentialBuckets(0.0001, 1.8, 23)
	countBuckets = prometheus.ExponentialBuckets(1, 2, 13)
	tokenBuckets = prometheus.ExponentialBuckets(1, 2, 18)
)

func newMetrics(queue func() batch.Stats) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	add := m.registry.MustRegister
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		add(c)
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		add(h)
		return h
	}
	gauge := func(name, help string, value func() float64) {
		add(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	m.requests = counter("embedding_requests_total", "Requests for embeddings: answered directly, answered through the queue, or failed.", "model", "type")
	m.embeddings = counter("embeddings_generated_total", "Embeddings generated.", "model")
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "embedding_duration_seconds", Help: "Time from a request's arrival to its vectors.", Buckets: timeBuckets}, []string{"model"})
	m.active = prometheus.NewGauge(prometheus.GaugeOpts{Name: "active_embedding_requests", Help: "Requests in progress."})
	add(m.duration, m.active)
	m.batchSize = histogram("embedding_batch_size", "Requests in a batch.", countBuckets)
	m.batchTexts = histogram("embedding_batch_texts", "Texts in a batch.", countBuckets)
	m.batchToken = histogram("embedding_batch_tokens", "Tokens in a batch.", tokenBuckets)
	m.queueWait = histogram("embedding_queue_wait_seconds", "Time that a request waited for the engine.", timeBuckets)
	m.tokenize = histogram("embedding_tokenize_seconds", "Time to turn a request's texts into token ids.", timeBuckets)
	m.inference = histogram("embedding_inference_seconds", "Time that a batch spent in the engine.", timeBuckets)
	m.errors = counter("embedding_errors_total", "Requests that failed, by kind.", "kind")
	gauge("embedding_queue_size", "Requests that wait for the engine.", func() float64 { return float64(queue().Waiting) })
	gauge("embedding_queue_tokens", "Tokens that wait for the engine.", func() float64 { return float64(queue().WaitingTokens) })

	m.teCount = counter("te_request_count", "Requests, single or batch.", "method")
	m.teSuccess = counter("te_request_success", "Requests answered, single or batch.", "method")
	m.teFailure = counter("te_request_failure", "Requests that failed, by error.", "err")
	m.teTotal = histogram("te_request_duration", "Time of a request, in seconds.", timeBuckets)
	m.teTokens = histogram("te_request_tokenization_duration", "Time to tokenize a request, in seconds.", timeBuckets)
	m.teQueue = histogram("te_request_queue_duration", "Time that a request waited, in seconds.", timeBuckets)
	m.teInfer = histogram("te_request_inference_duration", "Time of a request in the engine, in seconds.", timeBuckets)
	m.teLength = histogram("te_request_input_length", "Mean tokens of a request's inputs.", tokenBuckets)
	m.teNext = histogram("te_batch_next_size", "Texts in a batch.", countBuckets)
	m.teNextTok = histogram("te_batch_next_tokens", "Tokens in a batch.", tokenBuckets)
	gauge("te_queue_size", "Requests that wait for the engine.", func() float64 { return float64(queue().Waiting) })
	add(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// observeBatch is told of every batch that has left the engine.
func (m *metrics) observeBatch(b batch.BatchReport) {
	m.batchSize.Observe(float64(b.Requests))
	m.batchTexts.Observe(float64(b.Texts))
	m.batchToken.Observe(float64(b.Tokens))
	m.inference.Observe(b.Inference.Seconds())
	m.teNext.Observe(float64(b.Texts))
	m.teNextTok.Observe(float64(b.Tokens))
}

// answered notes a request that has its answer.
func (m *metrics) answered(h *hosted, r *dialect.Request, result *dialect.Result) {
	method := "batch"
	if len(r.Inputs) == 1 {
		method = "single"
	}
	m.teCount.WithLabelValues(method).Inc()
	m.teSuccess.WithLabelValues(method).Inc()
	if r.Want == dialect.Tokens || r.Want == dialect.Texts {
		return
	}
	way := "batch"
	if r.Direct {
		way = "direct"
	}
	t := &result.Times
	m.requests.WithLabelValues(h.Name, way).Inc()
	if r.Want != dialect.Scores {
		m.embeddings.WithLabelValues(h.Name).Add(float64(len(r.Inputs)))
	}
	m.duration.WithLabelValues(h.Name).Observe(t.Total.Seconds())
	m.queueWait.Observe(t.Queue.Seconds())
	m.tokenize.Observe(t.Tokenize.Seconds())
	m.teTotal.Observe(t.Total.Seconds())
	m.teTokens.Observe(t.Tokenize.Seconds())
	m.teQueue.Observe(t.Queue.Seconds())
	m.teInfer.Observe(t.Inference.Seconds())
	m.teLength.Observe(float64(result.InputTokens) / float64(len(r.Inputs)))
}

// failed notes a request that has an error for its answer.
func (m *metrics) failed(model string, k dialect.Kind) {
	m.errors.WithLabelValues(k.String()).Inc()
	if k == dialect.NoRoute || k == dialect.NoMethod || k == dialect.Unauthorized {
		return // never was a request for embeddings
	}
	m.requests.WithLabelValues(model, "error").Inc()
	m.teFailure.WithLabelValues(teError(k)).Inc()
}

// teError is TEI's label for a failure.
func teError(k dialect.Kind) string {
	switch k {
	case dialect.Overloaded:
		return "overloaded"
	case dialect.TooMany:
		return "batch_size"
	case dialect.TooLong:
		return "tokenization"
	case dialect.Unsupported:
		return "model_type"
	case dialect.Internal:
		return "inference"
	case dialect.Timeout:
		return "dropped"
	}
	return "validation"
}

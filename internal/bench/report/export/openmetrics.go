package export

import (
	"io"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/paceline/paceline/internal/bench/report/figures"
)

// MetricsFile is an OpenMetrics textfile, as a Prometheus node exporter collects it:
// the table, for a dashboard that follows it over the days.
const MetricsFile = "paceline_bench.prom"

const metricPrefix = "paceline_bench_"

// WriteMetrics writes a gauge for every column of the table, with its interval, and
// whether each figure is valid.
func WriteMetrics(x *figures.Index, w io.Writer) error {
	for _, family := range metricFamilies(x) {
		if len(family.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, family); err != nil {
			return err
		}
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

// tableMetric is a column as a gauge in base units.
type tableMetric struct {
	name, help string
	scale      float64 // from the table's unit
	of         func(figures.Row) figures.Figure
}

var tableMetrics = []tableMetric{
	{"throughput_embeddings_per_second", "Best throughput of the concurrency sweep.", 1, func(r figures.Row) figures.Figure { return r.Throughput }},
	{"throughput_tokens_per_second", "Tokens in the embeddings of the throughput, specials included.", 1, func(r figures.Row) figures.Figure { return r.TokensPerSecond }},
	{"latency_p95_seconds", "95th percentile of the latency of single texts from several clients.", 1e-3, func(r figures.Row) figures.Figure { return figures.Certified(r.Latency) }},
	{"batch_efficiency_ratio", "Throughput under concurrent load over that with everything sent at once.", 1e-2, func(r figures.Row) figures.Figure { return r.BatchEfficiency }},
	{"memory_bytes_per_thousand_embeddings", "What load adds to the idle memory of the server, for a thousand embeddings in flight.", 1e6, func(r figures.Row) figures.Figure { return r.MemoryPer1k }},
	{"memory_peak_bytes", "Peak resident memory of the server's process tree.", 1e6, func(r figures.Row) figures.Figure { return r.PeakMemory }},
	{"embeddings_per_cpu_second", "Embeddings a CPU-second of the server's process tree.", 1, func(r figures.Row) figures.Figure { return r.PerCPUSecond }},
}

func metricFamilies(x *figures.Index) []*dto.MetricFamily {
	m := x.Results.Manifest
	list := []*dto.MetricFamily{
		gauge("run_info", "What was measured with what.", sample(1, "version", m.Version, "model", m.Model.Name, "revision", m.Model.Revision,
			"dtype", m.Model.DType, "data", m.Data.Source, "cpu", m.Machine.CPU, "gpu", m.Machine.GPU)),
		gauge("finished_timestamp_seconds", "When the run ended.", sample(float64(m.Finished.UnixMilli())/1000)),
	}
	for _, t := range tableMetrics {
		list = append(list, t.family(x))
	}
	return append(list, stackFamilies(x)...)
}

// family has three samples a stack, so that a dashboard can draw the interval; one
// where a single repeat gives none.
func (t tableMetric) family(x *figures.Index) *dto.MetricFamily {
	f := gauge(t.name, t.help+" The median over the repeats and the ends of its confidence interval; valid is false for a figure that failed its checks.")
	for _, row := range x.SummaryRows() {
		figure := t.of(row)
		if row.Status != figures.Measured || !figure.Known() {
			continue
		}
		valid := strconv.FormatBool(figure.Doubt == "")
		ends := []end{{"median", figure.Value}, {"lower", figure.Lo}, {"upper", figure.Hi}}
		if figure.Level == 0 {
			ends = ends[:1]
		}
		for _, end := range ends {
			f.Metric = append(f.Metric, sample(end.value*t.scale, "stack", row.Stack, "estimate", end.estimate, "valid", valid))
		}
	}
	return f
}

type end struct {
	estimate string
	value    float64
}

// stackFamilies are of what has no interval.
func stackFamilies(x *figures.Index) []*dto.MetricFamily {
	up := gauge("comparable", "1 where the stack's vectors agree with the reference, 0 where they do not or it failed.")
	agreement := gauge("agreement_min_cosine", "Least cosine of a probe text's vector to the reference.")
	largest := gauge("max_batch_texts", "Largest request that was accepted and finished in time.")
	goodput := gauge("goodput_requests_per_second", "Highest arrival rate that was confirmed to keep the objective; 0 where none was.")
	for i := range x.Results.Stacks {
		s := &x.Results.Stacks[i]
		status := 0.0
		if figures.StatusOf(s) == figures.Measured {
			status = 1
		}
		up.Metric = append(up.Metric, sample(status, "stack", s.Name))
		if s.Agreement.Texts > 0 {
			agreement.Metric = append(agreement.Metric, sample(s.Agreement.MinCosine, "stack", s.Name))
		}
		if s.MaxBatch.Size > 0 {
			largest.Metric = append(largest.Metric, sample(float64(s.MaxBatch.Size), "stack", s.Name))
		}
		if s.Goodput != nil {
			goodput.Metric = append(goodput.Metric, sample(s.Goodput.Rate, "stack", s.Name, "objective", s.Goodput.SLO))
		}
	}
	return []*dto.MetricFamily{up, agreement, largest, goodput}
}

func gauge(name, help string, metrics ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: proto.String(metricPrefix + name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(), Metric: metrics}
}

// sample takes label names and values in turns.
func sample(value float64, labels ...string) *dto.Metric {
	m := &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(value)}}
	for i := 0; i+1 < len(labels); i += 2 {
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(labels[i]), Value: proto.String(labels[i+1])})
	}
	return m
}

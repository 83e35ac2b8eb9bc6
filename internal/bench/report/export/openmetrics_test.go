package export

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestMetricsByHand: the parser of Prometheus reads the textfile, and it holds the
// figures in base units with their intervals and validity. test/clients has
// another's parser read it too.
func TestMetricsByHand(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand(`quoted "stack"`, "failed")
	h.Stacks[1].Error = "no"
	h.Cell(`quoted "stack"`, record.SweepConcurrency, 4, 8, 50, 40, 44, 36, 40, 40)
	h.Cell(`quoted "stack"`, record.SweepOnline, 1, 8, 20, 130)
	h.Last().Invalid = "why"
	h.Stacks[0].Goodput = &record.Goodput{SLO: "p99=50ms", Rate: 12}
	var b bytes.Buffer
	if err := WriteMetrics(figures.NewIndex(h.Results), &b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Error("an OpenMetrics text ends with # EOF")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for name, want := range map[string]float64{
		`paceline_bench_throughput_embeddings_per_second{estimate="median",stack="quoted \"stack\"",valid="true"}`: 40,
		`paceline_bench_throughput_embeddings_per_second{estimate="upper",stack="quoted \"stack\"",valid="true"}`:  44,
		`paceline_bench_latency_p95_seconds{estimate="median",stack="quoted \"stack\"",valid="false"}`:             0.02,
		`paceline_bench_comparable{stack="failed"}`:                                                                0,
		`paceline_bench_goodput_requests_per_second{objective="p99=50ms",stack="quoted \"stack\""}`:                12,
	} {
		found := false
		family := families[name[:strings.Index(name, "{")]]
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+`="`+strings.ReplaceAll(l.GetValue(), `"`, `\"`)+`"`)
			}
			slices.Sort(labels)
			if family.GetName()+"{"+strings.Join(labels, ",")+"}" == name {
				found = true
				if got := m.GetGauge().GetValue(); got < want*0.999999 || got > want*1.000001 {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
		}
		if !found {
			t.Errorf("%s is not in\n%s", name, text)
		}
	}
	if strings.Contains(text, `latency_p95_seconds{stack="quoted \"stack\"",estimate="upper"`) {
		t.Error("one repeat has an interval")
	}
	if bad := regexp.MustCompile(`stack="failed".*estimate`).FindString(text); bad != "" {
		t.Errorf("a stack that failed has figures: %s", bad)
	}
}

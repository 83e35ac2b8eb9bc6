package sample

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
)

// metrics reads what a service says of itself in Prometheus' text format. The names
// are those of Prometheus' client libraries, which this project's server, TEI's
// neighbours and vLLM use, and Triton's of its GPUs. It is the service's own process
// alone, without its children.
type metrics struct {
	url  string
	http *http.Client
}

// errNoFigures is a page that tells of no resource.
var errNoFigures = errors.New("no figure of CPU time, memory or GPUs is on it")

// Metrics is the source at a URL of a service's metrics page, which is read once to
// see what it tells.
func Metrics(ctx context.Context, url string) (Source, error) {
	m := &metrics{url, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	_, err := m.Read(ctx, 0)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (m *metrics) From() string { return record.FromMetrics }

func (m *metrics) Read(ctx context.Context, _ Want) (Usage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url, nil)
	if err != nil {
		return Usage{}, err
	}
	request.Header.Set("Accept", "text/plain")
	reply, err := m.http.Do(request)
	if err != nil {
		return Usage{}, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return Usage{}, fmt.Errorf("%s: %s", m.url, reply.Status)
	}
	const most = 16 << 20
	u, err := parseMetrics(io.LimitReader(reply.Body, most))
	if err != nil {
		return Usage{}, fmt.Errorf("%s: %w", m.url, err)
	}
	return u, nil
}

// metric is the values of one name.
type metric struct {
	sum   float64
	count int
}

// parseMetrics picks the names that are known out of a page.
func parseMetrics(page io.Reader) (u Usage, err error) {
	found := map[string]*metric{
		"process_cpu_seconds_total": {}, "process_resident_memory_bytes": {},
		"nv_gpu_utilization": {}, "nv_gpu_memory_used_bytes": {}, "nv_gpu_power_usage": {}, "nv_energy_consumption": {},
	}
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		name, value, ok := parseMetric(lines.Text())
		if m := found[name]; ok && m != nil {
			m.sum += value
			m.count++
		}
	}
	if err := lines.Err(); err != nil {
		return u, err
	}
	u.CPUSeconds, u.RSSBytes = found["process_cpu_seconds_total"].sum, int64(found["process_resident_memory_bytes"].sum)
	if g := found["nv_gpu_utilization"]; g.count > 0 {
		u.GPU = &GPU{
			Count: g.count, Utilization: 100 * g.sum / float64(g.count), Bytes: int64(found["nv_gpu_memory_used_bytes"].sum),
			Watts: found["nv_gpu_power_usage"].sum, Joules: found["nv_energy_consumption"].sum,
		}
	}
	if u.RSSBytes == 0 && u.GPU == nil {
		return u, errNoFigures
	}
	return u, nil
}

// parseMetric reads "name{labels} value [time]". Values below 0 or beyond counting are
// none that is looked for.
func parseMetric(line string) (name string, value float64, ok bool) {
	end := strings.IndexAny(line, "{ \t")
	if end <= 0 || line[0] == '#' {
		return "", 0, false
	}
	name, rest := line[:end], line[end:]
	if rest[0] == '{' {
		if rest, ok = afterLabels(rest); !ok {
			return "", 0, false
		}
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", 0, false
	}
	value, err := strconv.ParseFloat(fields[0], 64)
	return name, value, err == nil && value >= 0 && value < math.MaxInt64
}

// afterLabels is what follows the labels' closing brace; one inside a quoted value
// does not close them.
func afterLabels(s string) (rest string, ok bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '}' && !quoted:
			return s[i+1:], true
		}
	}
	return "", false
}

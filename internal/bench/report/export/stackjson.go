package export

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// stackFile is <stack>_embedding_results.json, whose keys scripts rely on.
// Times are in seconds. A size's figures are those of all its valid repeats
// together, so that total_embeddings over total_time is embeddings_per_second;
// when no repeat is valid, of all of them, with the reason under "invalid".
type stackFile struct {
	Batch       sizes `json:"batch_efficiency"`
	Concurrency sizes `json:"concurrent_throughput"`
	Memory      sizes `json:"memory_efficiency"`
}

type batchResult struct {
	TotalEmbeddings     int     `json:"total_embeddings"`
	TotalTime           float64 `json:"total_time"`
	EmbeddingsPerSecond float64 `json:"embeddings_per_second"`
	AvgBatchTime        known   `json:"avg_batch_time"`
	NumBatches          int     `json:"num_batches"`
	Invalid             string  `json:"invalid,omitempty"`
}

type concurrencyResult struct {
	TotalEmbeddings     int     `json:"total_embeddings"`
	TotalTime           float64 `json:"total_time"`
	EmbeddingsPerSecond float64 `json:"embeddings_per_second"`
	AvgTaskTime         known   `json:"avg_task_time"`
	ConcurrentTasks     int     `json:"concurrent_tasks"`
	Invalid             string  `json:"invalid,omitempty"`
}

type memoryResult struct {
	TextLength           int     `json:"text_length"`
	BatchSize            int     `json:"batch_size"`
	MemoryUsedMB         known   `json:"memory_used_mb"`
	MemoryPerEmbeddingMB known   `json:"memory_per_embedding_mb"`
	ProcessingTime       known   `json:"processing_time"`
	EmbeddingsPerSecond  float64 `json:"embeddings_per_second"`
	Invalid              string  `json:"invalid,omitempty"`
}

// known is a number, or null where there is none.
type known float64

func (k known) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(k)) || math.IsInf(float64(k), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(k))
}

// sizes is an object whose keys are numbers, kept in rising order.
type sizes []sized

type sized struct {
	size   int
	result any
}

func (s sizes) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, entry := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(entry.result)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(strconv.Itoa(entry.size)) + ":")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// WriteStack writes the results of one stack.
func WriteStack(x *figures.Index, s *record.Stack, w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(stackResults(x, s))
}

func stackResults(x *figures.Index, s *record.Stack) stackFile {
	var r stackFile
	for _, p := range x.Points(s.Name, record.SweepBatchSize) {
		t := sum(x, s.Name, p)
		r.Batch = append(r.Batch, sized{p.BatchSize, batchResult{
			t.embeddings, t.seconds, t.perSecond(), known(t.seconds / float64(t.requests)), t.requests, t.invalid,
		}})
	}
	for _, p := range x.Points(s.Name, record.SweepConcurrency) {
		t := sum(x, s.Name, p)
		r.Concurrency = append(r.Concurrency, sized{p.Concurrency, concurrencyResult{
			t.embeddings, t.seconds, t.perSecond(), known(x.Figure(s.Name, p, figures.MeanSeconds).Value), p.Concurrency, t.invalid,
		}})
	}
	for _, p := range x.Points(s.Name, record.SweepTextLength) {
		t := sum(x, s.Name, p)
		each := x.Figure(s.Name, p, figures.MemoryPerThousand(s.IdleBytes)).Value / 1000
		r.Memory = append(r.Memory, sized{p.TextLength, memoryResult{
			p.TextLength, p.BatchSize, known(each * float64(p.BatchSize*p.Concurrency)), known(each),
			known(x.Figure(s.Name, p, figures.MeanSeconds).Value), t.perSecond(), t.invalid,
		}})
	}
	return r
}

// total adds up what a stack did at a point.
type total struct {
	embeddings, requests int
	seconds              float64
	invalid              string
}

func (t total) perSecond() float64 {
	if t.seconds == 0 {
		return 0
	}
	return float64(t.embeddings) / t.seconds
}

func sum(x *figures.Index, stack string, p figures.Point) total {
	cells, reason := figures.Sift(x.Cells[stack][p])
	t := total{}
	if len(cells) == 0 {
		cells, t.invalid = x.Cells[stack][p], reason
	}
	for _, c := range cells {
		t.embeddings += figures.Embeddings(c)
		t.seconds += c.Seconds
		t.requests += figures.Succeeded(c)
	}
	return t
}

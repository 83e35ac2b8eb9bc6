package serve

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// width is the length of a fakeRunner's vectors.
const width = 4

// fakeRunner stands for an engine: a sequence's vector is (n, sum of ids, 1, 2),
// where n is its length, so never of length 1 and known in advance.
type fakeRunner struct {
	calls   atomic.Int64
	inside  chan struct{} // unless nil, gets a value when a call begins
	proceed chan struct{} // unless nil, a call waits for a value or the end of its context
	fail    func(b *model.Batch) error
}

func (r *fakeRunner) Run(ctx context.Context, b *model.Batch) error {
	r.calls.Add(1)
	if r.inside != nil {
		r.inside <- struct{}{}
	}
	if r.proceed != nil {
		select {
		case <-r.proceed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.fail != nil {
		if err := r.fail(b); err != nil {
			return err
		}
	}
	for i := range b.Out {
		if out := b.Out[i].Vector; out != nil {
			copy(out, fakeVector(b.Sequence(i)))
		}
		for j := range b.Out[i].Logits {
			b.Out[i].Logits[j] = fakeLogit(len(b.Sequence(i)), j)
		}
		for j := range b.Out[i].Tokens {
			b.Out[i].Tokens[j] = float32(j)
		}
	}
	return nil
}

func fakeVector(ids []int32) []float32 {
	sum := 0
	for _, id := range ids {
		sum += int(id)
	}
	return []float32{float32(len(ids)), float32(sum), 1, 2}
}

// fakeLogit is what the engine says of label j of a sequence of n tokens.
func fakeLogit(n, j int) float32 { return float32(n-6) * float32(j+1) / 2 }

func unit(v []float32) []float32 {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	u := make([]float32, len(v))
	for i, x := range v {
		u[i] = float32(float64(x) / math.Sqrt(squares))
	}
	return u
}

// tinyFolder is the pipeline of the tiny BERT, with a prompt of ours.
func tinyFolder(t testing.TB) fs.FS {
	t.Helper()
	const folder = "../../testdata/tiny/bert/"
	files := fstest.MapFS{"config_sentence_transformers.json": {Data: []byte(`{"prompts": {"query": "query: "}}`)}}
	for _, name := range []string{"tokenizer.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json"} {
		data, err := os.ReadFile(folder + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return files
}

func tinyPipeline(t testing.TB) *pipeline.Pipeline {
	t.Helper()
	spec := &model.Spec{Hidden: width, MaxPositions: 16, Pooling: []model.PoolingMode{"mean"}}
	spec.Embedding.Vocab, spec.Embedding.TokenTypes.Rows = 716, 2
	return pipelineOf(t, spec)
}

// tinyClassifier is the tiny model with a classifier's head.
func tinyClassifier(t testing.TB, labels ...string) Model {
	t.Helper()
	spec := &model.Spec{Hidden: width, MaxPositions: 16, Pooling: []model.PoolingMode{"mean"}}
	spec.Embedding.Vocab, spec.Embedding.TokenTypes.Rows = 716, 2
	spec.Classifier = model.Classifier{Out: model.Linear{Weight: model.Part{Name: "classifier.weight", Rows: len(labels)}}, Labels: labels}
	m := tinyModel(t, &fakeRunner{})
	m.Pipeline = pipelineOf(t, spec)
	return m
}

// pipelineOf is the tiny BERT's pipeline around an encoder of other sizes.
func pipelineOf(t testing.TB, spec *model.Spec) *pipeline.Pipeline {
	t.Helper()
	folder := tinyFolder(t)
	data, err := fs.ReadFile(folder, "tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Read(folder, tok, spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tinyModel is the model of all tests: 16 tokens at most, a prompt "query".
func tinyModel(t testing.TB, r batch.Runner) Model {
	t.Helper()
	return Model{
		Name: "org/tiny", Repository: "org/tiny", Revision: "abc", DType: "float32", CPULevel: "generic", Device: "cpu",
		Threads: 1, Width: width, Hidden: width, Pipeline: tinyPipeline(t), Runner: r,
	}
}

// newServer makes a server of that profile that is ready; it is drained at the
// test's end.
func newServer(t testing.TB, profile string, r batch.Runner, o Options, change ...func(*Profile)) *Server {
	t.Helper()
	return newServerOf(t, profile, tinyModel(t, r), o, change...)
}

// newServerOf is newServer with another model.
func newServerOf(t testing.TB, profile string, m Model, o Options, change ...func(*Profile)) *Server {
	t.Helper()
	p, err := ProfileNamed(profile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(&p)
	}
	o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	s := New(p, o)
	if err := s.Load(m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.models.Load().drain(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends one request to the handler.
func ask(s *Server, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// decoded is an answer's JSON.
func decoded[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("status %d: %s: %v", w.Code, w.Body, err)
	}
	return v
}

type embeddings struct {
	Embeddings [][]float32
	Model      string
	BatchSize  int `json:"batch_size"`
	Normalized bool
}

func near(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-6 {
			return false
		}
	}
	return true
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int, inBody string) {
	t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), inBody) {
		t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, status, inBody)
	}
}

const post, get = http.MethodPost, http.MethodGet

// batchOptions bounds the tokens that wait.
func batchOptions(waiting int) batch.Options { return batch.Options{WaitingTokens: waiting} }

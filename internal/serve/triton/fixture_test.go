package triton_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/triton"
	"github.com/paceline/paceline/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tiny opens the one tiny model of the repository, for whatever name.
func tiny(t testing.TB) *assemble.Model {
	t.Helper()
	folder, err := filepath.Abs("../../../testdata/tiny/bert")
	if err != nil {
		t.Fatal(err)
	}
	m, err := assemble.Open(t.Context(), store.New(store.Options{}), folder, assemble.Options{DType: "float32", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// admission lets everybody in.
type admission struct{}

func (admission) Enter() (func(), *dialect.Error) { return func() {}, nil }

func (admission) ReadBody(_ http.ResponseWriter, r *http.Request) ([]byte, func(), *dialect.Error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, func() {}, dialect.Errorf(dialect.Syntax, "", "%v", err)
	}
	return body, func() {}, nil
}

func (admission) Authorized(string) bool { return true }

func (admission) Explain(err error) *dialect.Error {
	var known *dialect.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, batch.ErrOverloaded):
		return dialect.Errorf(dialect.Overloaded, "", "%v", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return dialect.Errorf(dialect.Timeout, "", "%v", err)
	}
	return dialect.Errorf(dialect.Value, "", "%v", err)
}

// fixture is a server with the tiny model.
type fixture struct {
	*triton.Server
	handler http.Handler
	model   *assemble.Model
	opened  atomic.Int64 // how often a model was opened
	closed  atomic.Int64
	runner  batch.Runner // unless nil, in place of the model's
	// pipelines are, by the name of a model, those to take in place of the model's.
	pipelines map[string]*pipeline.Pipeline
}

func newFixture(t testing.TB, o triton.Options) *fixture {
	t.Helper()
	o.Admission, o.Version, o.Message = admission{}, "1.2.3", 1<<20
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &fixture{Server: triton.New(o), model: tiny(t)}
	f.handler = f.Handler()
	t.Cleanup(func() {
		if err := f.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		if opened, closed := f.opened.Load(), f.closed.Load(); opened != closed {
			t.Errorf("%d models were opened and %d closed", opened, closed)
		}
	})
	return f
}

func (f *fixture) open(_ context.Context, name string) (*triton.Opened, error) {
	if name == "broken" {
		return nil, errors.New("no such model")
	}
	f.opened.Add(1)
	runner := batch.Runner(f.model.Engine)
	if f.runner != nil {
		runner = f.runner
	}
	way := cmp.Or(f.pipelines[name], f.model.Pipeline)
	return &triton.Opened{Pipeline: way, Runner: runner, Width: f.model.Spec.Dim(), Close: func() error { f.closed.Add(1); return nil }}, nil
}

// preset is a server with the three usual models.
func preset(t testing.TB) *fixture {
	t.Helper()
	f := newFixture(t, triton.Options{Control: triton.ControlExplicit, Load: []string{"*"}})
	source := triton.Source{Repository: modelrepo.Preset{Model: "tiny", Dim: f.model.Pipeline.Dim()}, Open: f.open}
	if err := f.Start(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) do(method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

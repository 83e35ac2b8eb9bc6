package triton_test

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
	"github.com/paceline/paceline/internal/serve/triton"
)

// oneModel is a config of texts to vectors, with more settings.
func oneModel(settings string) string {
	return `backend: "paceline" max_batch_size: 8
		input { name: "texts" data_type: TYPE_STRING dims: [ 1 ] } output { name: "embeddings" data_type: TYPE_FP32 dims: [ -1 ] }
		parameters { key: "model" value { string_value: "tiny" } } ` + settings
}

func options(t testing.TB) triton.Options {
	t.Helper()
	return triton.Options{Control: triton.ControlExplicit, Load: []string{"*"}, Poll: time.Second}
}

// files is a repository that tests change under the server.
type files struct {
	mu sync.Mutex
	fs fstest.MapFS
}

func (f *files) Open(name string) (fs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fs.Open(name)
}

func (f *files) put(name string, file *fstest.MapFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fs[name] = file
}

func (f *files) set(name, text string) {
	mode := fs.FileMode(0o644)
	if strings.HasSuffix(name, "/") {
		name, mode = strings.TrimSuffix(name, "/"), fs.ModeDir|0o755
	}
	f.put(name, &fstest.MapFile{Data: []byte(text), Mode: mode, ModTime: time.Now()})
}

func (f *files) link(name, to string) {
	f.put(name, &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777, ModTime: time.Now()})
}

func (f *files) remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for file := range f.fs {
		if file == name || strings.HasPrefix(file, name+"/") {
			delete(f.fs, file)
		}
	}
}

func newFiles(list map[string]string) *files {
	f := &files{fs: fstest.MapFS{}}
	for name, text := range list {
		f.set(name, text)
	}
	return f
}

func (f *fixture) start(t testing.TB, list map[string]string) *files {
	t.Helper()
	files, err := f.tryStart(t, list)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (f *fixture) tryStart(t testing.TB, list map[string]string) (*files, error) {
	files := newFiles(list)
	return files, f.Start(t.Context(), triton.Source{Repository: modelrepo.Folder{FS: files}, Open: f.open})
}

func (f *fixture) ask(model string) error {
	_, err := f.Infer(context.Background(), &kserve.Request{Model: model, Inputs: []tensor.Tensor{
		{Name: "texts", Datatype: tensor.Bytes, Shape: []int64{1, 1}, Data: tensor.StringsData([]string{"x"})}}})
	return err
}

func TestStartSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	python := strings.Replace(strings.Replace(oneModel(""), `"paceline"`, `"python"`, 1), "tiny", "", 1)
	f := newFixture(t, options(t))
	_, err := f.tryStart(t, map[string]string{
		"good/config.pbtxt": oneModel(""), "good/1/": "",
		"broken/config.pbtxt": strings.Replace(oneModel(""), "tiny", "broken", 1), "broken/1/": "",
		"mypython/config.pbtxt": python, "mypython/1/model.py": "",
		"odd/config.pbtxt": strings.Replace(oneModel(""), "TYPE_FP32", "TYPE_FP64", 1), "odd/1/": "",
		"onnx/config.pbtxt": strings.Replace(python, "python", "onnxruntime", 1), "onnx/1/": "",
		"typo/config.pbtxt": "max_batch_size: many", "typo/1/": "",
		"wide/config.pbtxt": strings.Replace(oneModel(""), "dims: [ -1 ]", "dims: [ 5 ]", 1), "wide/1/": "",
		"nothing/config.pbtxt": strings.Replace(oneModel(""), "tiny", "", 1), "nothing/1/": "",
	})
	if err == nil {
		t.Fatal("a repository full of mistakes was started")
	}
	for _, says := range []string{
		"load failed for model 'broken': no such model", `its model.py cannot run here`, `parameters { key: "model" value`, "paceline models repository",
		"output 'embeddings' of TYPE_FP64 has no meaning here", `backend "onnxruntime"`, "typo/config.pbtxt:1:17: ", "vectors of", "no model in Hugging Face layout in nothing/1",
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("no %q in:\n%v", says, err)
		}
	}
	if err := f.ask("good"); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if f.Ready() {
		t.Error("ready though models are missing")
	}
	index, err := f.Index("", false)
	if err != nil || len(index) != 8 {
		t.Fatal(index, err)
	}
	if index[2].Name != "mypython" || index[2].State != "UNAVAILABLE" || !strings.Contains(index[2].Reason, "model.py") {
		t.Errorf("%v", index[2])
	}
	if ready, err := f.Index("", true); err != nil || len(ready) != 1 || ready[0].Name != "good" {
		t.Errorf("%v, %v", ready, err)
	}
}

func TestPythonBackendWithAModelNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	f.start(t, map[string]string{"m/config.pbtxt": strings.Replace(oneModel("instance_group { kind: KIND_GPU }"), `"paceline"`, `"python"`, 1), "m/1/model.py": ""})
	if err := f.ask("m"); err != nil {
		t.Error(err)
	}
}

func TestStrictRefusesGPU(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Strict = true
	f := newFixture(t, o)
	_, err := f.tryStart(t, map[string]string{"m/config.pbtxt": oneModel("instance_group { kind: KIND_GPU }"), "m/1/": ""})
	if err == nil || !strings.Contains(err.Error(), "KIND_GPU") {
		t.Errorf("%v", err)
	}
}

// TestExplicitControl loads an ensemble by name, which brings its steps, and
// unloads it with them.
func TestExplicitControl(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Load = nil
	f := newFixture(t, o)
	if err := f.Start(t.Context(), triton.Source{Repository: modelrepo.Preset{Model: "tiny", Dim: f.model.Pipeline.Dim()}, Open: f.open}); err != nil {
		t.Fatal(err)
	}
	states := func() (list []string) {
		index, err := f.Index("", false)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range index {
			list = append(list, m.Name+" "+m.State+" "+m.Reason)
		}
		return list
	}
	expect := func(want ...string) {
		t.Helper()
		if got := states(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	expect("embedding_pipeline  ", "sentence_transformer  ", "tokenizer  ")
	if err := f.ask("embedding_pipeline"); err == nil || !strings.Contains(err.Error(), "is not found") {
		t.Errorf("before the load: %v", err)
	}
	if w := f.do("POST", "/v2/repository/models/embedding_pipeline/load", nil); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	expect("embedding_pipeline READY ", "sentence_transformer READY ", "tokenizer READY ")
	if w := f.do("POST", "/v2/repository/models/tokenizer/unload", []byte(`{}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if ready, err := f.ModelReady("embedding_pipeline", ""); ready || err != nil {
		t.Error("the ensemble is ready without its tokenizer")
	}
	if err := f.ask("embedding_pipeline"); err == nil || !strings.Contains(err.Error(), "in ensemble 'embedding_pipeline'") {
		t.Errorf("without a step: %v", err)
	}
	if w := f.do("POST", "/v2/repository/models/tokenizer/load", []byte(`{"parameters":{}}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := f.ask("embedding_pipeline"); err != nil {
		t.Error(err)
	}
	if w := f.do("POST", "/v2/repository/models/embedding_pipeline/unload", []byte(`{"parameters":{"unload_dependents":true}}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	expect("embedding_pipeline UNAVAILABLE unloaded", "sentence_transformer UNAVAILABLE unloaded", "tokenizer UNAVAILABLE unloaded")
	for path, status := range map[string]int{"models/nobody/load": 500, "models/..%2Fx/load": 500, "models/nobody/unload": 200, "other/models/tokenizer/load": 501, "other/index": 200} {
		if w := f.do("POST", "/v2/repository/"+path, nil); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := f.do("POST", "/v2/repository/index", []byte(`{"ready":true}`)); w.Code != http.StatusOK || w.Body.String() != "[]" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestLoadWithAConfig(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	f.start(t, map[string]string{"m/config.pbtxt": oneModel(""), "m/1/": ""})
	config := `{\"backend\":\"paceline\",\"max_batch_size\":3,\"input\":[{\"name\":\"texts\",\"data_type\":\"TYPE_STRING\",\"dims\":[1]}],` +
		`\"output\":[{\"name\":\"embeddings\",\"data_type\":\"TYPE_FP32\",\"dims\":[-1]}],\"parameters\":{\"model\":{\"string_value\":\"tiny\"}}}`
	if w := f.do("POST", "/v2/repository/models/m/load", []byte(`{"parameters":{"config":"`+config+`"}}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if c, err := f.ModelConfig("m", ""); err != nil || c.MaxBatchSize != 3 {
		t.Errorf("%v, %v", c, err)
	}
	for _, wrong := range []string{`{"parameters":{"config":"{"}}`, `{"parameters":{"file:1/x":"AA=="}}`, `{"parameters":3}`, `{"parameters":{"config":"{\"max_batch_size\":-1}"}}`} {
		if w := f.do("POST", "/v2/repository/models/m/load", []byte(wrong)); w.Code < 400 {
			t.Errorf("%s: %d", wrong, w.Code)
		}
	}
	if err := f.ask("m"); err != nil {
		t.Errorf("after loads that failed: %v", err)
	}
}

func TestControlBelongsToTheModeThatHasIt(t *testing.T) {
	t.Parallel()
	for _, mode := range []triton.Control{triton.ControlNone, triton.ControlPoll} {
		o := options(t)
		o.Control = mode
		f := newFixture(t, o)
		f.start(t, map[string]string{"m/config.pbtxt": oneModel(""), "m/1/": ""})
		for _, verb := range []string{"load", "unload"} {
			if w := f.do("POST", "/v2/repository/models/m/"+verb, nil); w.Code != 503 || !strings.Contains(w.Body.String(), "explicit model load / unload is not allowed") {
				t.Errorf("%s %s: %d %s", mode, verb, w.Code, w.Body)
			}
		}
	}
}

// TestPolling changes the repository under the server: what is new is loaded,
// what changed is loaded again, what is gone is unloaded, and a mistake leaves
// the old model in service.
func TestPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t)
		o.Control = triton.ControlPoll
		f := newFixture(t, o)
		files := f.start(t, map[string]string{"m/config.pbtxt": oneModel(""), "m/1/": ""})
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { f.Watch(ctx) })
		next := func() {
			time.Sleep(1500 * time.Millisecond) // of the bubble's clock
			synctest.Wait()
		}
		batchSize := func() int32 {
			c, err := f.ModelConfig("m", "")
			if err != nil {
				t.Error(err)
				return 0
			}
			return c.MaxBatchSize
		}
		time.Sleep(time.Second)
		files.set("m/config.pbtxt", strings.Replace(oneModel(""), "max_batch_size: 8", "max_batch_size: 9", 1))
		files.set("n/config.pbtxt", oneModel(""))
		files.set("n/1/", "")
		next()
		if batchSize() != 9 || f.ask("n") != nil {
			t.Errorf("after a change: %d, %v", batchSize(), f.ask("n"))
		}
		files.set("m/config.pbtxt", "max_batch_size: oops")
		files.remove("n")
		next()
		if batchSize() != 9 || f.ask("m") != nil || f.ask("n") == nil {
			t.Errorf("after a mistake: %d, %v, %v", batchSize(), f.ask("m"), f.ask("n"))
		}
		cancel()
		watching.Wait()
	})
}

// TestPollingNamesLinksThatLeadNowhere: each is a warning, once; a model is loaded
// when its link has been mended, even if what it leads to is older than the link.
func TestPollingNamesLinksThatLeadNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t)
		o.Control = triton.ControlPoll
		var written bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelWarn}))
		f := newFixture(t, o)
		files := f.start(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { f.Watch(ctx) })
		time.Sleep(1500 * time.Millisecond) // of the bubble's clock: between two looks
		files.set("m/config.pbtxt", oneModel(""))
		files.set("m/1/", "")
		files.link("m/1/model.safetensors", "../../.store/weights")
		files.link("n", ".store/n")
		files.set("v/config.pbtxt", oneModel(""))
		files.link("v/1", "../.store/v")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for _, link := range []string{"m/1/model.safetensors: this link", "link=n problem=", "v/1: this link"} {
			if n := strings.Count(written.String(), link); n != 1 {
				t.Errorf("%q is there %d times in:\n%s", link, n, &written)
			}
		}
		if f.ask("m") != nil || f.ask("v") == nil {
			t.Errorf("m, which needs no weights here: %v; v, which has no version: %v", f.ask("m"), f.ask("v"))
		}
		files.put(".store/v", &fstest.MapFile{Mode: fs.ModeDir | 0o755, ModTime: time.Unix(0, 0)})
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if err := f.ask("v"); err != nil {
			t.Errorf("after its link was mended: %v", err)
		}
		cancel()
		watching.Wait()
	})
}

// TestPollingAnEnsembleThatComesBeforeItsSteps copies a repository file by file, the
// ensemble first, as cp does: it is loaded as soon as its last step can be. What
// cannot be loaded is said once, and again when it has changed.
func TestPollingAnEnsembleThatComesBeforeItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t)
		o.Control = triton.ControlPoll
		var written bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelError}))
		f := newFixture(t, o)
		source := t.TempDir()
		if err := (modelrepo.Preset{Model: "tiny", Dim: f.model.Pipeline.Dim()}).Write(source); err != nil {
			t.Fatal(err)
		}
		files := f.start(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { f.Watch(ctx) })
		time.Sleep(500 * time.Millisecond) // of the bubble's clock: between two looks
		for i, model := range []string{"embedding_pipeline", "sentence_transformer", "tokenizer"} {
			config, err := os.ReadFile(filepath.Join(source, model, "config.pbtxt"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range [][2]string{{"/1/", ""}, {"/config.pbtxt", string(config)}} {
				files.set(model+file[0], file[1])
				time.Sleep(time.Second)
				synctest.Wait()
			}
			if ready, err := f.ModelReady("embedding_pipeline", ""); err != nil || ready != (i == 2) {
				t.Errorf("after %s: ready %v, %v", model, ready, err)
			}
		}
		said := written.String()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if err := f.ask("embedding_pipeline"); err != nil || written.String() != said {
			t.Errorf("%v; said again:\n%s", err, strings.TrimPrefix(written.String(), said))
		}
		cancel()
		watching.Wait()
	})
}

// TestReloadDropsNothing loads a model again and again under traffic.
func TestReloadDropsNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	f.start(t, map[string]string{"m/config.pbtxt": oneModel("dynamic_batching {}"), "m/1/": ""})
	var stop atomic.Bool
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for !stop.Load() {
				if err := f.ask("m"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 20 {
		if err := f.Load(t.Context(), "m", nil); err != nil {
			t.Error(err)
		}
		if err := f.ask("m"); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	clients.Wait()
}

func TestVersionsSideBySide(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	f.start(t, map[string]string{"m/config.pbtxt": oneModel("version_policy { all {} }"), "m/1/": "", "m/3/": ""})
	for version, want := range map[string]string{"": "3", "1": "1", "3": "3"} {
		got, err := f.Infer(t.Context(), &kserve.Request{Model: "m", Version: version, Inputs: []tensor.Tensor{
			{Name: "texts", Datatype: tensor.Bytes, Shape: []int64{1, 1}, Data: tensor.StringsData([]string{"x"})}}})
		if err != nil || got.Version != want {
			t.Errorf("%q: %v, %v", version, got, err)
		}
	}
	if m, err := f.ModelMetadata("m", ""); err != nil || !reflect.DeepEqual(m.Versions, []string{"1", "3"}) {
		t.Errorf("%v, %v", m, err)
	}
}

// TestQueuePolicyReachesTheQueue fills a model's queue behind a busy engine: the
// bound refuses, the timeout expires, both in the reference server's words.
func TestQueuePolicyReachesTheQueue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	engine := &slow{started: make(chan int, 16), goOn: make(chan struct{})}
	f.runner = engine
	f.start(t, map[string]string{"m/config.pbtxt": oneModel(`instance_group { count: 1 }
		dynamic_batching { default_queue_policy { default_timeout_microseconds: 50000 max_queue_size: 1 } }`), "m/1/": ""})
	first := make(chan error, 1)
	go func() { first <- f.ask("m") }()
	<-engine.started
	waiting := make(chan error, 2)
	for range 2 {
		go func() { waiting <- f.ask("m") }()
	}
	var said []string
	for range 2 {
		said = append(said, (<-waiting).Error())
	}
	all := strings.Join(said, "\n")
	for _, want := range []string{"Exceeds maximum queue size", "Request timeout expired"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %q", want, said)
		}
	}
	close(engine.goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if list, err := f.Statistics("m", ""); err != nil || list[0].InferenceStats.Fail.Count != 2 || list[0].InferenceStats.Success.Count != 1 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestSettingsWithoutEffectAreNamed: what a tokenizer does not do is said, once for
// each setting, and nothing is said of one that asks for nothing.
func TestSettingsWithoutEffectAreNamed(t *testing.T) {
	t.Parallel()
	tokenizer := func(settings string) string {
		return `backend: "paceline" max_batch_size: 8 input { name: "texts" data_type: TYPE_STRING dims: 1 }
			output { name: "input_ids" data_type: TYPE_INT32 dims: -1 } parameters { key: "model" value { string_value: "tiny" } } ` + settings
	}
	for settings, want := range map[string][]string{
		``:                            nil,
		`instance_group { count: 1 }`: nil,
		`instance_group { count: 3 }`: {"instance_group (3 instances)"},
		`dynamic_batching { } instance_group [ { count: 1 }, { count: 1 } ]`:                                                        {"dynamic_batching", "instance_group (2 instances)"},
		`model_warmup { name: "w" batch_size: 1 inputs { key: "texts" value { data_type: TYPE_STRING dims: 1 zero_data: true } } }`: {"model_warmup"},
	} {
		var written bytes.Buffer
		o := options(t)
		o.Log = slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelWarn}))
		f := newFixture(t, o)
		f.start(t, map[string]string{"m/config.pbtxt": tokenizer(settings), "m/1/": ""})
		if n := strings.Count(written.String(), "\n"); n != len(want) {
			t.Errorf("%s: %d warnings: %s", settings, n, &written)
		}
		for _, field := range want {
			if !strings.Contains(written.String(), field+" has no effect on a tokenizer") {
				t.Errorf("%s: %s is not named: %s", settings, field, &written)
			}
		}
	}
}

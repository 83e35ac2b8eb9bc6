package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServePreservesOrdering has a request overtake another, or try to: the first
// waits for company that only the third brings, the second's time in the queue is up
// at once. Where config.pbtxt has preserve_ordering, the second's answer waits for
// the first's all the same.
func TestServePreservesOrdering(t *testing.T) {
	t.Parallel()
	models := t.TempDir()
	writeModel(t, models, "free", "preserve_ordering: false")
	writeModel(t, models, "ordered", "preserve_ordering: true")
	s := startServe(t, nil, "--model-repository", models)

	first, second := s.overtaking(t, "ordered")
	freeFirst, freeSecond := s.overtaking(t, "free")
	if got := <-freeSecond; got != expired {
		t.Errorf("the second request, whose time was up, was answered with %s", got)
	}
	unanswered(t, "the free model's first request", freeFirst)
	for range 20 { // time enough for the answers that must not come
		s.get(t, "/metrics")
	}
	unanswered(t, "the ordered model's first request", first)
	unanswered(t, "the ordered model's second request", second)

	for model, first := range map[string]<-chan string{"free": freeFirst, "ordered": first} {
		if third, first := <-s.infer(model, 5, 0), <-first; third != "200 OK" || first != "200 OK" {
			t.Errorf("%s: the third request was answered with %s, the first with %s", model, third, first)
		}
	}
	if got := <-second; got != expired {
		t.Errorf("the ordered model's second request was answered with %s", got)
	}
	s.stop(t)
}

// expired is the status of a request whose time in the queue was up.
const expired = "503 Service Unavailable"

// writeModel writes a model that makes batches of 8 texts and waits an hour for
// them.
func writeModel(t *testing.T, repository, name, batching string) {
	t.Helper()
	tiny, err := filepath.Abs("../../testdata/tiny/bert")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`backend: "paceline" max_batch_size: 8
		input { name: "texts" data_type: TYPE_STRING dims: [ 1 ] } output { name: "embeddings" data_type: TYPE_FP32 dims: [ -1 ] }
		parameters { key: "model" value { string_value: %q } }
		dynamic_batching { preferred_batch_size: [ 8 ] max_queue_delay_microseconds: 3600000000 %s
			default_queue_policy { default_timeout_microseconds: 3600000000 allow_timeout_override: true } }`, tiny, batching)
	if err := os.MkdirAll(filepath.Join(repository, name, "1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(repository, name, "config.pbtxt"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
}

// overtaking asks for 3 texts, and once these wait, for one that may wait for a
// microsecond.
func (s *served) overtaking(t *testing.T, model string) (first, second <-chan string) {
	t.Helper()
	first = s.infer(model, 3, 0)
	waiting := fmt.Sprintf(`nv_inference_pending_request_count{model=%q,version="1"} 1`+"\n", model)
	for {
		if _, metrics := s.get(t, "/metrics"); strings.Contains(metrics, waiting) {
			return first, s.infer(model, 1, 1)
		}
	}
}

// infer asks for the vectors of so many texts; the channel has the answer's
// status, or why there is none. A timeout of 0 is the model's.
func (s *served) infer(model string, texts, timeout int) <-chan string {
	body := fmt.Sprintf(`{"parameters":{"timeout":%d},"inputs":[{"name":"texts","datatype":"BYTES","shape":[%d,1],"data":["x"%s]}]}`,
		timeout, texts, strings.Repeat(`,"x"`, texts-1))
	answered := make(chan string, 1)
	go func() {
		r, err := http.Post(s.URL+"/v2/models/"+model+"/infer", "application/json", strings.NewReader(body))
		if err != nil {
			answered <- err.Error()
			return
		}
		r.Body.Close()
		answered <- r.Status
	}()
	return answered
}

func unanswered(t *testing.T, what string, answered <-chan string) {
	t.Helper()
	select {
	case status := <-answered:
		t.Fatalf("%s was answered too early, with %s", what, status)
	default:
	}
}

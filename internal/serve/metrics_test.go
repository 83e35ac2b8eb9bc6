package serve

import (
	"strings"
	"testing"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	ask(s, post, "/embeddings", `["a","b","c"]`)
	ask(s, post, "/embed", `{"inputs":"a"}`)
	ask(s, post, "/embeddings", `{"texts":"a","use_batching":false}`)
	ask(s, post, "/embeddings", `{"texts":[]}`)
	ask(s, get, "/nowhere", "")
	text := ask(s, get, "/metrics", "").Body.String()
	for _, line := range []string{
		`embedding_requests_total{model="org/tiny",type="batch"} 2`,
		`embedding_requests_total{model="org/tiny",type="direct"} 1`,
		`embedding_requests_total{model="org/tiny",type="error"} 1`,
		`embeddings_generated_total{model="org/tiny"} 5`,
		`embedding_duration_seconds_count{model="org/tiny"} 3`,
		`embedding_batch_size_count 3`,
		`embedding_batch_texts_sum 5`,
		`embedding_batch_tokens_sum 15`,
		`embedding_queue_wait_seconds_count 3`,
		`embedding_inference_seconds_count 3`,
		`embedding_queue_size 0`,
		`active_embedding_requests 0`,
		`embedding_errors_total{kind="empty"} 1`,
		`embedding_errors_total{kind="no_route"} 1`,
		`te_request_count{method="single"} 2`,
		`te_request_success{method="batch"} 1`,
		`te_request_failure{err="validation"} 1`,
		`te_batch_next_tokens_sum 15`,
		`te_queue_size 0`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestWatchDoor has what watches the server, and nothing else.
func TestWatchDoor(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{APIKey: "k"})
	s.handler = s.watch
	for path, status := range map[string]int{"/metrics": 200, "/health": 200, "/health/live": 200, "/info": 404} {
		if w := ask(s, get, path, ""); w.Code != status {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

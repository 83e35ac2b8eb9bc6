package poc

import (
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

func TestEmbed(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New("vllm"), "/embed", "", `{"texts":["Hello world","This is a test"]}`)
	dialecttest.Expect(t, got, 200, `{"embeddings":[[3,4,0],[0,0,1]],"model":"tiny","num_embeddings":2,"embedding_dim":3}`)
}

// TestNormalizeIsTheBackends: vLLM scales to length 1, HuggingFace does as the
// model says.
func TestNormalizeIsTheBackends(t *testing.T) {
	t.Parallel()
	for backend, want := range map[string]dialect.Choice{"vllm": dialect.Yes, "huggingface": dialect.Unset} {
		if r, _ := dialecttest.Post(t, New(backend), "/embed", "", `{"texts":["a"]}`); r.Normalize != want {
			t.Errorf("%s: %v", backend, r.Normalize)
		}
	}
}

func TestPrompts(t *testing.T) {
	t.Parallel()
	if r, _ := dialecttest.Post(t, New("vllm"), "/embed", "", `{"texts":["a"],"prompt":"find: ","prompt_name":"query"}`); r.Prompt != "find: " || r.PromptName != "query" {
		t.Errorf("%+v", r)
	}
}

func TestEmbedRefuses(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{`{}`: 422, `{"texts":"a"}`: 422, `{"texts":[]}`: 400, `{"texts":["a","b","c","d","e"]}`: 400, `[`: 422} {
		if got := dialecttest.Exchange(t, New("vllm"), "/embed", "", body); got.Status != status {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	dialecttest.Expect(t, dialecttest.Get(t, New("huggingface"), "/health", true), 200, `{"status":"healthy","backend":"huggingface","model":"tiny","gpu_available":false}`)
	dialecttest.Expect(t, dialecttest.Get(t, New("vllm"), "/health", false), 503, `{"status":"unavailable","backend":"vllm","model":"tiny","gpu_available":false}`)
}

func FuzzEmbed(f *testing.F) {
	dialecttest.Fuzz(f, New("vllm"), "/embed", `{"texts":["a","b"]}`, `{"texts":[null]}`, `{"texts":{}}`)
}

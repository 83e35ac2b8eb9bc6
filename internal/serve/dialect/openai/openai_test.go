package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

func answer(data string, tokens string) string {
	return `{"id":"embd-id1","object":"list","created":1800000000,"model":"tiny","data":[` + data + `],"usage":{"prompt_tokens":` + tokens + `,"total_tokens":` + tokens + `}}`
}

func TestEmbeddings(t *testing.T) {
	t.Parallel()
	const first, second = `{"object":"embedding","index":0,"embedding":[3,4,0]}`, `{"object":"embedding","index":1,"embedding":[0,0,1]}`
	for body, want := range map[string]string{
		`{"input":"a","model":"tiny"}`:                                answer(first, "3"),
		`{"input":["a",""],"user":"u","priority":3}`:                  answer(first+","+second, "6"),
		`{"input":[[101,102],[103]],"encoding_format":"float"}`:       answer(first+","+second, "6"),
		`{"input":[101,102],"truncate_prompt_tokens":-1}`:             answer(first, "3"),
		`{"input":"a","encoding_format":"base64"}`:                    answer(`{"object":"embedding","index":0,"embedding":"AABAQAAAgEAAAAAA"}`, "3"),
		`{"input":"a","encoding_format":"base64","endianness":"big"}`: answer(`{"object":"embedding","index":0,"embedding":"QEAAAECAAAAAAAAA"}`, "3"),
	} {
		dialecttest.Expect(t, dialecttest.Exchange(t, New(), "/v1/embeddings", "", body), 200, want)
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/v1/embeddings", "", `{"input":["a","b"],"encoding_format":"bytes"}`)
	if want := "\x00\x00\x40\x40\x00\x00\x80\x40\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f"; got.Body != want {
		t.Errorf("% x", got.Body)
	}
	if got.Header["Content-Type"] != "application/octet-stream" {
		t.Errorf("%v", got.Header)
	}
	var meta struct {
		Model string
		Data  []struct {
			Index, Start, End int
			Shape             []int
		}
		Usage map[string]int
	}
	if err := json.Unmarshal([]byte(got.Header["Metadata"]), &meta); err != nil {
		t.Fatalf("%s: %v", got.Header["Metadata"], err)
	}
	if last := meta.Data[1]; last.Index != 1 || last.Start != 12 || last.End != 24 || last.Shape[0] != 3 || meta.Model != "tiny" || meta.Usage["total_tokens"] != 6 {
		t.Errorf("%+v", meta)
	}
	if got := dialecttest.Exchange(t, New(), "/v1/embeddings", "", `{"input":"a","encoding_format":"bytes_only"}`); got.Header["Metadata"] != "" || len(got.Body) != 12 {
		t.Errorf("bytes_only: %+v", got)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	r, _ := dialecttest.Post(t, New(), "/v1/embeddings", "", `{"input":"a","model":"m","dimensions":2,"truncate_prompt_tokens":8,"truncation_side":"left","add_special_tokens":false}`)
	if r.Model != "m" || r.Dimensions != 2 || r.Truncate != dialect.Yes || r.MaxTokens != 8 || !r.TruncateLeft || !r.NoSpecial || r.Normalize != dialect.Yes {
		t.Errorf("%+v", r)
	}
	r, _ = dialecttest.Post(t, New(), "/v1/embeddings", "", `{"input":"a"}`)
	if r.Truncate != dialect.Unset || r.MaxTokens != 0 || r.TruncateLeft || r.NoSpecial {
		t.Errorf("defaults: %+v", r)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`{}`:                                        `"input"`,
		`{"input":[]}`:                              `"input"`,
		`{"input":[[]]}`:                            `"input"`,
		`{"input":["a",3]}`:                         `"input"`,
		`{"input":"a","dimensions":0}`:              `"dimensions"`,
		`{"input":"a","dimensions":"x"}`:            `"dimensions"`,
		`{"input":"a","encoding_format":"hex"}`:     `"encoding_format"`,
		`{"input":"a","embed_dtype":"float8"}`:      `"embed_dtype"`,
		`{"input":"a","use_activation":"maybe"}`:    `"use_activation"`,
		`{"messages":[{"role":"user"}]}`:            `"messages"`,
		`{"input":"a","truncate_prompt_tokens":17}`: `"truncate_prompt_tokens"`,
		`{"input":"a","truncate_prompt_tokens":-2}`: `"truncate_prompt_tokens"`,
		`{"input":["a","b","c","d","e"]}`:           `null`,
		`{"input":`:                                 `null`,
	} {
		got := dialecttest.Exchange(t, New(), "/v1/embeddings", "", body)
		if got.Status != 400 || !strings.Contains(got.Body, `"type":"invalid_request_error","param":`+param+`,"code":null}}`) {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[dialect.Kind]struct {
		status int
		tail   string
	}{
		dialect.NoModel:      {404, `"type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
		dialect.Unauthorized: {401, `"type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`},
		dialect.Overloaded:   {429, `"type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`},
		dialect.TooLong:      {400, `"type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}`},
		dialect.Internal:     {500, `"type":"server_error","param":null,"code":null}}`},
		dialect.Unavailable:  {503, `"type":"service_unavailable_error","param":null,"code":null}}`},
	} {
		got := dialecttest.Write(t, func(a *dialect.Answer) { Fail(a, &dialect.Error{Kind: kind, Message: "m"}) })
		if got.Status != want.status || got.Body != `{"error":{"message":"m",`+want.tail {
			t.Errorf("%v: %+v", kind, got)
		}
	}
}

func TestAbout(t *testing.T) {
	t.Parallel()
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/v1/models", true), 200, `{"object":"list","data":[{"id":"tiny","object":"model","created":1700000000,
		"owned_by":"paceline","root":"org/tiny","parent":null,"max_model_len":16,"loaded":true,"permission":[]}]}`)
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/version", true), 200, `{"version":"1.2.3"}`)
	if got := dialecttest.Get(t, New(), "/health", true); got.Status != 200 || got.Body != "" {
		t.Errorf("%+v", got)
	}
	if got := dialecttest.Get(t, New(), "/health", false); got.Status != 503 {
		t.Errorf("%+v", got)
	}
}

func FuzzEmbeddings(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/v1/embeddings", `{"input":["a",[1]],"encoding_format":"base64","dimensions":2}`, `{"input":[1,2],"truncate_prompt_tokens":-1}`,
		`{"input":"a","encoding_format":"bytes","endianness":"big"}`, `{"input":[[]]}`)
}

package driver

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzShape holds that a scan agrees with a full decoding wherever the reply is
// what a service of the dialect sends, and never panics on anything else.
func FuzzShape(f *testing.F) {
	for _, vectors := range [][][]float32{{}, {{}}, honest([]string{"a", "bc"})} {
		plain, _ := json.Marshal(vectors)
		f.Add(plain)
		for _, v := range []any{map[string]any{"embeddings": vectors}, openAIReply(vectors, false), openAIReply(vectors, true)} {
			b, _ := json.Marshal(v)
			f.Add(b)
		}
	}
	header, raw := kserveReply(honest([]string{"a", "bc"}))
	f.Add(append(header, raw...))
	f.Add([]byte(`{"outputs":[{"name":"embeddings","datatype":"FP32","shape":[4611686018427387904,4],"parameters":{"binary_data_size":0}}]}`))
	f.Add([]byte(`{"model":"embeddings","embeddings" : [ [1 , 2e-3] , [3,4] ] }`))
	f.Add([]byte(`[[NaN]]`))
	f.Add([]byte(`{"data":[{"embedding":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, reply []byte) {
		for name, make := range dialects {
			c := make("m")
			got, scanErr := c.shape(reply)
			vectors, err := c.decode(reply)
			if err != nil || !plain(reply) {
				continue
			}
			var want shape
			for _, v := range vectors {
				want.add(len(v))
				if !finite(v) {
					return
				}
			}
			if scanErr == nil && got != want {
				t.Errorf("%s: scanned %+v, decoded %+v: %q", name, got, want, reply)
			}
		}
	})
}

// plain leaves out what no service sends and a scan need not see: repeated or
// escaped member names, members of other cases, lists within lists.
func plain(reply []byte) bool {
	for _, name := range []string{"embeddings", "embedding", "data"} {
		lower := bytes.ToLower(reply)
		if n := bytes.Count(lower, []byte(name)); n > 1 || n != bytes.Count(reply, []byte(name)) {
			return false
		}
	}
	return !bytes.ContainsAny(reply, `\`) && !bytes.Contains(reply, []byte("null"))
}

func BenchmarkShape(b *testing.B) {
	texts := make([]string, 32*77)
	vectors := honest(texts)
	reply, err := json.Marshal(vectors)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(reply)))
	for b.Loop() {
		if _, err := (tei{}).shape(reply); err != nil {
			b.Fatal(err)
		}
	}
}

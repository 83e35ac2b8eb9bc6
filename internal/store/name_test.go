package store

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Reference{
		"all-MiniLM-L6-v2":                         {"sentence-transformers/all-MiniLM-L6-v2", "main"},
		"ALL-minilm-l6-v2":                         {"sentence-transformers/all-MiniLM-L6-v2", "main"},
		"sentence-transformers/all-MiniLM-L6-v2":   {"sentence-transformers/all-MiniLM-L6-v2", "main"},
		"ModernBERT-base":                          {"answerdotai/ModernBERT-base", "main"},
		"bge-small-en-v1.5@refs/pr/1":              {"BAAI/bge-small-en-v1.5", "refs/pr/1"},
		"multi-qa-MiniLM-L6-cos-v1":                {"sentence-transformers/multi-qa-MiniLM-L6-cos-v1", "main"},
		"org/name@0123456789012345678901234567890": {"org/name", "0123456789012345678901234567890"},
	} {
		if got, err := ParseName(name); err != nil || got != want {
			t.Errorf("ParseName(%q) = %+v, %v; want %+v", name, got, err, want)
		}
	}
	for _, name := range []string{"", "@main", "a@", "a/b/c", "../x", "/etc", "a@../x", "a@/x", "a@x/", "a b", "a@b c", `a@b\c`, "a--b", "a@x//y"} {
		if got, err := ParseName(name); err == nil {
			t.Errorf("ParseName(%q) = %+v, want an error", name, got)
		}
	}
}

// FuzzParseName: no name leads out of the cache.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"a/b@c", "../x", "a@../..", "a/..@x", "a@refs/pr/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		ref, err := ParseName(name)
		if err != nil {
			return
		}
		repo := (Options{Cache: "c"}).caches()[0].Model(ref.Name)
		if filepath.Dir(repo.Dir()) != "c" || filepath.Dir(repo.Snapshot(ref.Revision)+"/x") == repo.Dir() {
			t.Errorf("%q leads to %s", name, repo.Snapshot(ref.Revision))
		}
		if !filepath.IsLocal(filepath.FromSlash(ref.Revision)) {
			t.Errorf("%q has the revision %q", name, ref.Revision)
		}
	})
}

// FuzzModules: whatever a modules.json says, the files it asks for lie in the snapshot.
func FuzzModules(f *testing.F) {
	f.Add(modulesJSON)
	f.Add([]byte(`[{"path":"../..","type":"Dense"}]`))
	f.Add([]byte(`[{"path":"/etc","type":"x.Pooling"},{"path":"a/../../b","type":"Pooling"}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := parseModules(text)
		for _, path := range append(m.needed, filepath.Join(m.encoder, "config.json")) {
			if !filepath.IsLocal(filepath.FromSlash(path)) {
				t.Errorf("%q leaves the folder", path)
			}
		}
	})
}

func TestNeeded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ listing, want string }{
		"plain":   {"config.json model.safetensors onnx/model.onnx openvino/openvino_model.bin pytorch_model.bin rust_model.ot tf_model.h5 train_script.py README.md .gitattributes data_config.json", "config.json model.safetensors"},
		"sharded": {"config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors", "config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors"},
		"both":    {"model.safetensors model.safetensors.index.json model-00001-of-00001.safetensors", "model.safetensors"},
		"modules": {"model.safetensors modules.json 1_Pooling/config.json 2_Dense/config.json 2_Dense/model.safetensors 2_Dense/pytorch_model.bin", "model.safetensors modules.json 1_Pooling/config.json 2_Dense/config.json 2_Dense/model.safetensors"},
		"old":     {"0_Transformer/model.safetensors 0_Transformer/config.json 0_Transformer/sentence_roberta_config.json 0_Transformer/sentencepiece.bpe.model", "0_Transformer/model.safetensors 0_Transformer/config.json 0_Transformer/sentence_roberta_config.json 0_Transformer/sentencepiece.bpe.model"},
		"hyphen":  {"model.safetensors sentence_xlm-roberta_config.json sentence__config.txt", "model.safetensors sentence_xlm-roberta_config.json"},
		"adapter": {"model.safetensors checkpoints/1/model.safetensors eval/config.json", "model.safetensors"},
	} {
		got, err := Needed(strings.Fields(c.listing))
		if err != nil || !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %v, %v; want %s", name, got, err, c.want)
		}
	}
	if _, err := Needed([]string{"config.json", "pytorch_model.bin"}); !errors.Is(err, ErrPickle) {
		t.Errorf("pickle only: %v", err)
	}
	if _, err := Needed([]string{"config.json", "model.gguf"}); err == nil || errors.Is(err, ErrPickle) {
		t.Errorf("no weights: %v", err)
	}
}

// TestEnvironment holds the order in which the Python clients read their variables.
func TestEnvironment(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the table has Linux's paths")
	}
	home := t.TempDir()
	put(t, home, map[string][]byte{"hf/token": []byte("from-file\n")}, "hf/token")
	clear := []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
		"HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "PACELINE_CACHE"}
	for name, c := range map[string]struct {
		env  map[string]string
		want Options
	}{
		"nothing set":  {nil, Options{Cache: home + "/.cache/huggingface/hub", Own: home + "/.cache/paceline"}},
		"HF_HOME":      {map[string]string{"HF_HOME": "~/hf"}, Options{Cache: home + "/hf/hub", Own: home + "/.cache/paceline", Token: "from-file"}},
		"cache":        {map[string]string{"HF_HOME": "/x", "HF_HUB_CACHE": "/y", "HUGGINGFACE_HUB_CACHE": "/z"}, Options{Cache: "/y", Own: home + "/.cache/paceline"}},
		"old name":     {map[string]string{"HF_HOME": "/x", "HUGGINGFACE_HUB_CACHE": "/z"}, Options{Cache: "/z", Own: home + "/.cache/paceline"}},
		"XDG":          {map[string]string{"XDG_CACHE_HOME": "/xdg"}, Options{Cache: "/xdg/huggingface/hub", Own: "/xdg/paceline"}},
		"token":        {map[string]string{"HF_HOME": home + "/hf", "HF_TOKEN": "t", "PACELINE_CACHE": "/p"}, Options{Cache: home + "/hf/hub", Own: "/p", Token: "t"}},
		"no token":     {map[string]string{"HF_HOME": home + "/hf", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "PACELINE_CACHE": "/p"}, Options{Cache: home + "/hf/hub", Own: "/p"}},
		"offline":      {map[string]string{"HF_HUB_OFFLINE": "1", "PACELINE_CACHE": "/p", "HF_HUB_CACHE": "/y"}, Options{Cache: "/y", Own: "/p", Offline: true}},
		"offline true": {map[string]string{"TRANSFORMERS_OFFLINE": "true", "PACELINE_CACHE": "/p", "HF_HUB_CACHE": "/y"}, Options{Cache: "/y", Own: "/p", Offline: true}},
		"endpoint":     {map[string]string{"HF_ENDPOINT": "http://h", "HF_HUB_OFFLINE": "0", "PACELINE_CACHE": "/p", "HF_HUB_CACHE": "/y"}, Options{Cache: "/y", Own: "/p", Endpoint: "http://h"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", home)
			for _, variable := range clear {
				t.Setenv(variable, "")
			}
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			if got := FromEnvironment(); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

package assemble

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tiny = filepath.Join("..", "..", "testdata", "tiny", "bert")

func openTiny(t *testing.T, o Options) *Model {
	t.Helper()
	m, err := Open(context.Background(), store.New(store.Options{Offline: true}), tiny, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestOpenSaysWhatRuns(t *testing.T) {
	t.Parallel()
	m := openTiny(t, Options{Threads: 3, Device: "cpu", DType: "float32"})
	if m.Threads != 3 || m.Device != "cpu" || m.DType != "float32" || m.CPULevel == "" || m.Revision != "" || m.Spec.Family != "bert" {
		t.Errorf("%+v", m)
	}
	out := model.Output{Vector: make([]float32, m.Spec.Dim()), Tokens: make([]float32, 3*m.Spec.Hidden)}
	var b model.Batch
	b.Append([]int32{2, 40, 3}, nil, 0, out)
	if err := m.Engine.Run(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	for i, x := range out.Vector { // the mean of the three tokens
		mean := (out.Tokens[i] + out.Tokens[48+i] + out.Tokens[96+i]) / 3
		if d := x - mean; d > 1e-6 || d < -1e-6 {
			t.Errorf("value %d is %g, the tokens' mean is %g", i, x, mean)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	m := openTiny(t, Options{})
	got, err := m.Files(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1_Pooling/config.json", "config.json", "config_sentence_transformers.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json"}
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("made from %q, want %q", names, want)
	}
	for name, sum := range got {
		data, err := os.ReadFile(filepath.Join(tiny, name))
		if err != nil {
			t.Fatal(err)
		}
		if raw := sha256.Sum256(data); hex.EncodeToString(raw[:]) != sum {
			t.Errorf("%s: %s", name, sum)
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Files(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	st := store.New(store.Options{Offline: true})
	if _, err := Open(context.Background(), st, tiny, Options{Device: "abacus"}); !errors.Is(err, ErrUnknownDevice) {
		t.Errorf("unknown device: %v", err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if m, err := Open(canceled, st, tiny, Options{}); !errors.Is(err, context.Canceled) || m != nil {
		t.Errorf("canceled: %v, %v", m, err)
	}
	if _, err := Open(context.Background(), st, t.TempDir(), Options{}); err == nil {
		t.Error("an empty folder is no model")
	}
}

package pickle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/safetensors"
)

// repositoryOf writes files into a folder with a name that a pattern would misread.
func repositoryOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a[b]*")
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestConvert opens what it has written with the reader that models are read with.
func TestConvert(t *testing.T) {
	t.Parallel()
	fixture := string(readFixture(t, "torch.zip"))
	dir := repositoryOf(t, map[string]string{
		"pytorch_model-00001-of-00001.bin": fixture,
		"pytorch_model.bin.index.json":     `{"metadata": {"total_size": 1}, "weight_map": {"whole.weight": "pytorch_model-00001-of-00001.bin"}}`,
		"2_Dense/pytorch_model.bin":        string(readFixture(t, "torch.old")),
		"pytorch_model_notes.bin":          "something else",
		"training_args.bin":                "something else",
	})
	written, err := Convert(context.Background(), dir)
	want := []string{"model-00001-of-00001.safetensors", "model.safetensors.index.json", "2_Dense/model.safetensors"}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if err != nil || !slices.Equal(written, want) {
		t.Fatalf("%q, %v; want %q", written, err, want)
	}
	index, err := os.ReadFile(want[1])
	if err != nil || !strings.Contains(string(index), `"whole.weight":"model-00001-of-00001.safetensors"`) {
		t.Errorf("%s, %v", index, err)
	}
	set, err := safetensors.Open(want[2])
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	tensor, ok := set.Tensor("turned.weight")
	if !ok || tensor.DType != "F32" || !slices.Equal(tensor.Shape, []int{4, 3}) {
		t.Errorf("%+v, %v", tensor, ok)
	}
	if _, err := Convert(context.Background(), dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
}

// TestConvertLeavesNothing: after a failure there is no half file.
func TestConvertLeavesNothing(t *testing.T) {
	t.Parallel()
	bad := string(zipped(t, 0, map[string]string{"data.pkl": "\x80\x02cos\nsystem\n."}))
	for name, files := range map[string]map[string]string{
		"a command":       {"pytorch_model.bin": bad},
		"a foreign shard": {"pytorch_model.bin.index.json": `{"weight_map": {"w": "../../etc/passwd"}}`},
		"no JSON":         {"pytorch_model.bin.index.json": `{`},
		"a cut file":      {"pytorch_model.bin": "\x80\x02\x8a\nl\xfc"},
	} {
		dir := repositoryOf(t, files)
		if written, err := Convert(context.Background(), dir); err == nil || len(written) > 0 {
			t.Errorf("%s: %q, %v", name, written, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s left %v", name, left)
		}
	}
	if _, err := Convert(context.Background(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

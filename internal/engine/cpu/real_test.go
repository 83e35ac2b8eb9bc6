package cpu

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// TestRealParity compares with sentence-transformers on the weights of
// all-MiniLM-L6-v2, which PACELINE_TEST_MODEL names.
func TestRealParity(t *testing.T) {
	t.Parallel()
	const name = "all-MiniLM-L6-v2"
	dir := os.Getenv("PACELINE_TEST_MODEL")
	if dir == "" {
		t.Skip("no real weights: set PACELINE_TEST_MODEL to a folder that holds " + name + "'s files")
	}
	var want struct {
		InputIDs [][]int32 `json:"input_ids"`
	}
	folder := filepath.Join(fixtures(t), "real", name)
	readJSON(t, filepath.Join(folder, "expected.json"), &want)
	vectors := readNPY(t, filepath.Join(folder, "embeddings.npy"), len(want.InputIDs))
	tensors := readSafetensors(t, filepath.Join(dir, "model.safetensors"))
	spec, err := model.Read(os.DirFS(dir), tensors)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range arithmetics(t)[1:] {
		e, err := New(spec, tensors, o)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		worst, difference := 1.0, 0.0
		for i, v := range embedAll(t, e, want.InputIDs) {
			e.set.Normalize(v)
			worst, difference = min(worst, cosine(v, vectors[i])), max(difference, maxDifference(v, vectors[i]))
		}
		t.Logf("%s at level %s: least cosine %.7f, largest difference %.3g", o.DType, o.Level, worst, difference)
		least, most := 0.999, 0.02
		switch kernel.DType(o.DType) {
		case kernel.Float32:
			least, most = 0.99999, 1e-4
		case kernel.Int8:
			least, most = 0.99, 0.05
		}
		if !(worst >= least && difference <= most) {
			t.Errorf("%s at level %s: least cosine %v, largest difference %v", o.DType, o.Level, worst, difference)
		}
	}
}

// readNPY reads a two-dimensional float32 array of that many rows.
func readNPY(t *testing.T, file string, rows int) [][]float32 {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(data, []byte("\x93NUMPY\x01\x00")) || !bytes.Contains(data[:128], []byte("'<f4'")) {
		t.Fatalf("%s is not a version 1 array of little-endian float32", file)
	}
	body := data[10+int(binary.LittleEndian.Uint16(data[8:])):]
	values := make([]float32, len(body)/4)
	kernel.WidenFloat32(values, body)
	width := len(values) / rows
	list := make([][]float32, rows)
	for i := range list {
		list[i] = values[i*width : (i+1)*width]
	}
	return list
}

package cpu

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// tensorMap is a checkpoint in memory.
type tensorMap map[string]model.Tensor

func (m tensorMap) Tensor(name string) (model.Tensor, bool) { t, ok := m[name]; return t, ok }
func (m tensorMap) Names() []string                         { return slices.Sorted(maps.Keys(m)) }

// readTensors reads a fixture's checkpoint and those of its dense modules, whose
// tensors are named by folder.
func readTensors(t testing.TB, dir string) tensorMap {
	t.Helper()
	tensors := readSafetensors(t, filepath.Join(dir, "model.safetensors"))
	files, _ := filepath.Glob(filepath.Join(dir, "*_Dense", "model.safetensors"))
	for _, file := range files {
		for name, tensor := range readSafetensors(t, file) {
			tensors[filepath.Base(filepath.Dir(file))+"/"+name] = tensor
		}
	}
	return tensors
}

// readSafetensors reads a file that the tests trust; the store validates others'.
func readSafetensors(t testing.TB, file string) tensorMap {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	tensors := tensorMap{}
	for name, raw := range header {
		var entry struct {
			DType   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if name == "__metadata__" || json.Unmarshal(raw, &entry) != nil {
			continue
		}
		body := data[8+n:]
		tensors[name] = model.Tensor{DType: entry.DType, Shape: entry.Shape, Data: body[entry.Offsets[0]:entry.Offsets[1]]}
	}
	return tensors
}

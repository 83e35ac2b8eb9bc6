package model_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/paceline/paceline/internal/model"
)

// everyTensor is one checkpoint with the names of all families.
func everyTensor() checkpoint {
	all := checkpoint{}
	for _, f := range families() {
		maps.Copy(all, f.tensors)
	}
	return all
}

// FuzzReadConfig: whatever config.json says, a Spec that is read names only what is
// in the checkpoint, and sizes that fit together.
func FuzzReadConfig(f *testing.F) {
	for _, family := range families() {
		data, err := json.Marshal(family.config)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	tensors := everyTensor()
	f.Fuzz(func(t *testing.T, config []byte) {
		s, err := model.Read(fstest.MapFS{"config.json": &fstest.MapFile{Data: config}}, tensors)
		if err != nil {
			return
		}
		for _, p := range parts(reflect.ValueOf(*s)) {
			if _, ok := p.Of(tensors); !ok {
				t.Errorf("%+v is not in the checkpoint", p)
			}
		}
		if s.MaxPositions < 1 || s.Dim() < 1 || s.Heads < 1 || s.Heads%s.SharedBy() != 0 || s.HeadDim < 1 || len(s.Choices()) == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// FuzzReadModules: whatever modules.json says, it is refused or names folders inside
// the repository.
func FuzzReadModules(f *testing.F) {
	for _, list := range []string{
		`[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"path":"2_Dense","type":"sentence_transformers.models.Dense"},{"path":"3","type":"sentence_transformers.models.Normalize"}]`,
		`[{"path":"","type":"sentence_transformers.models.StaticEmbedding"}]`,
		`[{"path":"0","type":"sentence_transformers.sparse_encoder.models.MLMTransformer.MLMTransformer"},{"path":"1_Pooling","type":"sentence_transformers.sparse_encoder.models.SpladePooling.SpladePooling"}]`,
	} {
		f.Add([]byte(list), []byte(`{"pooling_mode":["mean","cls"]}`))
	}
	f.Fuzz(func(t *testing.T, list, pooling []byte) {
		m, err := model.ReadModules(fstest.MapFS{"modules.json": &fstest.MapFile{Data: list}, "1_Pooling/config.json": &fstest.MapFile{Data: pooling}})
		if err != nil {
			return
		}
		for _, folder := range append(m.WeightFolders(), m.Transformer) {
			if len(folder) == 0 || folder[0] == '/' || folder == ".." {
				t.Errorf("folder %q", folder)
			}
		}
		if len(m.Pooling) == 0 && m.Splade == "" {
			t.Errorf("no pooling: %+v", m)
		}
	})
}

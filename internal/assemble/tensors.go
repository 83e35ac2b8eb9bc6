package assemble

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/store/safetensors"
)

// tensors joins the encoder's checkpoint with those of dense modules, whose
// tensors it names by folder, as model.Read expects.
type tensors struct {
	encoder *safetensors.Set
	modules map[string]*safetensors.Set
}

var _ model.Tensors = (*tensors)(nil)

func openTensors(repo *store.Repository, files *recorder, modules model.Modules) (*tensors, error) {
	t := &tensors{modules: map[string]*safetensors.Set{}}
	var err error
	if t.encoder, err = openSet(repo, files, modules.Transformer); err != nil {
		return nil, err
	}
	for _, folder := range modules.WeightFolders() {
		if t.modules[folder], err = openSet(repo, files, folder); err != nil {
			delete(t.modules, folder)
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

func openSet(repo *store.Repository, files *recorder, folder string) (*safetensors.Set, error) {
	set, err := repo.TensorsIn(folder)
	if errors.Is(err, fs.ErrNotExist) && files.has(path.Join(folder, "pytorch_model.bin")) {
		return nil, fmt.Errorf("%w: `paceline models convert DIR` writes safetensors beside it, without running anything", store.ErrPickle)
	}
	if err == nil {
		files.noteAll(path.Join(folder, "*.safetensors"))
	}
	return set, err
}

// Tensor finds "2_Dense/linear.weight" in the folder's checkpoint and any other
// name in the encoder's.
func (t *tensors) Tensor(name string) (model.Tensor, bool) {
	if at := strings.LastIndexByte(name, '/'); at >= 0 {
		if set, ok := t.modules[name[:at]]; ok {
			return set.Tensor(name[at+1:])
		}
	}
	return t.encoder.Tensor(name)
}

func (t *tensors) Names() []string {
	names := slices.Clone(t.encoder.Names())
	for folder, set := range t.modules {
		for _, name := range set.Names() {
			names = append(names, folder+"/"+name)
		}
	}
	slices.Sort(names)
	return names
}

func (t *tensors) Close() error {
	errs := []error{t.encoder.Close()}
	for _, set := range t.modules {
		errs = append(errs, set.Close())
	}
	return errors.Join(errs...)
}

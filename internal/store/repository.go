package store

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/paceline/paceline/internal/store/safetensors"
)

// Repository is a model's folder on this machine, complete for use.
type Repository struct {
	Name     string // org/name; for a folder of the user's, its path
	Revision string // the commit; empty for a folder of the user's
	Dir      string // where the files are
}

// FS gives the repository's files by their paths in it, such as "config.json"
// and "1_Pooling/config.json".
func (r *Repository) FS() fs.FS { return os.DirFS(r.Dir) }

// Tensors opens the checkpoint. The caller closes it, after the last use of any tensor.
func (r *Repository) Tensors() (*safetensors.Set, error) { return r.TensorsIn("") }

// TensorsIn opens the checkpoint of one module of a sentence-transformers
// pipeline, by its folder: "2_Dense".
func (r *Repository) TensorsIn(folder string) (*safetensors.Set, error) {
	return safetensors.OpenDir(filepath.Join(r.Dir, filepath.FromSlash(folder)))
}

package modelrepo

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/template"
	"time"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// PresetModels are the models of an embedding service as it is usually built
// for Triton: an ensemble of the first two.
var PresetModels = []string{"tokenizer", "sentence_transformer", "embedding_pipeline"}

//go:embed preset/*.pbtxt
var presetFiles embed.FS

var presets = template.Must(template.ParseFS(presetFiles, "preset/*.pbtxt"))

// Preset is what the PresetModels are made for.
type Preset struct {
	Model string // the parameter "model": a name, or a folder
	Dim   int    // values in a vector
}

// config is one model's config.pbtxt.
func (p Preset) config(name string) []byte {
	var b bytes.Buffer
	if err := presets.ExecuteTemplate(&b, name+".pbtxt", p); err != nil {
		panic(err) // a template of ours
	}
	return b.Bytes()
}

// List names the PresetModels.
func (p Preset) List() ([]string, error) { return PresetModels, nil }

// Broken is nothing: there are no links.
func (p Preset) Broken() ([]string, error) { return nil, nil }

// Read makes one of the PresetModels, version 1.
func (p Preset) Read(name string) (*Model, error) {
	if !slices.Contains(PresetModels, name) {
		return nil, fmt.Errorf("%w: there is no model %q", ErrNoModel, name)
	}
	config, warnings, err := ParseConfig(name, p.config(name))
	if err != nil {
		return nil, err
	}
	return p.complete(name, config, warnings)
}

// ReadWith makes one of the PresetModels with another config.
func (p Preset) ReadWith(name string, config *pb.ModelConfig) (*Model, error) {
	return p.complete(name, config, nil)
}

func (p Preset) complete(name string, config *pb.ModelConfig, warnings []Diagnostic) (*Model, error) {
	m, err := newModel(name, name, config, warnings)
	if err != nil {
		return nil, err
	}
	m.Versions = []int64{1}
	return m, nil
}

// Modified is always the same time: nobody changes a preset.
func (p Preset) Modified(string) (time.Time, error) { return time.Time{}, nil }

// Write writes the PresetModels into a repository, which is made if there is
// none. A model that is there already is an error, and then nothing is written.
func (p Preset) Write(repository string) error {
	for _, name := range PresetModels {
		if _, err := os.Lstat(filepath.Join(repository, name)); err == nil {
			return fmt.Errorf("%s is there already: choose another folder, or move it away", filepath.Join(repository, name))
		}
	}
	if err := os.MkdirAll(repository, 0o755); err != nil {
		return err
	}
	aside, err := os.MkdirTemp(repository, ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	for _, name := range PresetModels {
		if err := os.MkdirAll(filepath.Join(aside, name, "1"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(aside, name, ConfigFile), p.config(name), 0o644); err != nil {
			return err
		}
	}
	for _, name := range PresetModels {
		if err := os.Rename(filepath.Join(aside, name), filepath.Join(repository, name)); err != nil {
			return err
		}
	}
	return nil
}

package model

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Modules is what modules.json and the Pooling module's config.json say about
// the stages of a sentence-transformers model. Folders are relative to the
// repository's root.
type Modules struct {
	Transformer   string        // folder of the encoder's config.json, "." for the root
	Static        bool          // the encoder is a table of token vectors alone
	Pooling       []PoolingMode // at least one, unless there is Splade
	Splade        string        // folder of the SpladePooling module; "" for none
	IncludePrompt bool          // a prompt's tokens count in pooling
	LayerMix      string        // folder of the WeightedLayerPooling module; "" for none
	After         []Module      // between pooling and normalisation, in order
	Normalize     bool          // vectors are scaled to length 1

	scores bool // there is nothing but the encoder, which must have a classifier
	width  int  // of the hidden states that pooling expects; 0 where it is not said
}

// Module is one that computes with weights of its own.
type Module struct{ Name, Folder string }

// WeightFolders are the folders of modules that have a checkpoint of their own
// beside the encoder's.
func (m *Modules) WeightFolders() []string {
	var list []string
	if m.LayerMix != "" {
		list = append(list, m.LayerMix)
	}
	for _, module := range m.After {
		list = append(list, module.Folder)
	}
	return list
}

// ReadModules reads modules.json in every spelling of the module types. Without
// that file a repository is a bare encoder, for which sentence-transformers
// takes mean pooling and does not normalise.
func ReadModules(fsys fs.FS) (Modules, error) {
	m := Modules{Transformer: ".", IncludePrompt: true}
	data, err := readConfig(fsys, "modules.json")
	if errors.Is(err, fs.ErrNotExist) {
		m.Pooling = []PoolingMode{PoolMean}
		return m, nil
	} else if err != nil {
		return m, err
	}
	var list []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	if err := decodeConfig(data, &list); err != nil {
		return m, fmt.Errorf("modules.json: %w", err)
	}
	for i, entry := range list {
		if err := m.add(fsys, i, entry.Type, entry.Path); err != nil {
			return m, fmt.Errorf("modules.json: module %d: %w", i, err)
		}
	}
	if len(list) == 1 && !m.pooled() { // as sentence-transformers 6 saves a CrossEncoder
		m.scores, m.Pooling = true, []PoolingMode{PoolMean}
	}
	if !m.pooled() {
		return m, errNoPooling
	}
	return m, nil
}

var errNoPooling = errors.New("modules.json lists no Pooling: it makes no sentence vectors")

// add takes the next module. The type is a Python class path whose middle parts
// changed between versions of sentence-transformers; its last part did not.
func (m *Modules) add(fsys fs.FS, i int, class, folder string) error {
	name, ok := moduleName(class)
	if !ok {
		return fmt.Errorf("type %q is code of the repository's own: %w", class, ErrUnsupported)
	}
	if slices.Contains(routers, name) {
		return fmt.Errorf("type %s is %w: it sends queries and documents through modules of their own; save one of its routes as a model by itself", name, ErrUnsupported)
	}
	if !slices.Contains(moduleNames, name) {
		return fmt.Errorf("type %s is %w (known: %s)", name, ErrUnsupported, strings.Join(moduleNames, ", "))
	}
	if folder == "" {
		folder = "."
	}
	if !fs.ValidPath(folder) {
		return fmt.Errorf("path %q is not one inside the repository", folder)
	}
	if err := m.checkOrder(i, name); err != nil {
		return err
	}
	return m.take(fsys, name, folder)
}

var moduleNames = []string{"Transformer", "MLMTransformer", "StaticEmbedding", "WeightedLayerPooling", "Pooling", "SpladePooling",
	"Dense", "LayerNorm", "Dropout", "Normalize"}

// routers are the two names of one module that is several models.
var routers = []string{"Router", "Asym"}

// after lists the modules that compute with the pooled vector.
var after = []string{"Dense", "LayerNorm"}

// first lists the modules that a list begins with; nothing else may.
var first = []string{"Transformer", "MLMTransformer", "StaticEmbedding"}

func (m *Modules) pooled() bool { return len(m.Pooling) > 0 || m.Splade != "" }

// checkOrder knows the one order that is computed: encoder, a mean of its layers,
// pooling, modules of the pooled vector, normalisation. A static embedding has its
// pooling inside.
func (m *Modules) checkOrder(i int, name string) error {
	switch {
	case (i == 0) != slices.Contains(first, name):
		return fmt.Errorf("one of %s first, and nowhere else; anything but that is %w", strings.Join(first, ", "), ErrUnsupported)
	case m.Normalize:
		return fmt.Errorf("%s behind Normalize is %w", name, ErrUnsupported)
	case m.Splade != "":
		return fmt.Errorf("%s behind SpladePooling is %w", name, ErrUnsupported)
	case name == "WeightedLayerPooling" && (m.pooled() || m.LayerMix != ""):
		return fmt.Errorf("%s behind another pooling is %w", name, ErrUnsupported)
	case name == "SpladePooling" && m.LayerMix != "":
		return fmt.Errorf("%s behind WeightedLayerPooling is %w", name, ErrUnsupported)
	case strings.HasSuffix(name, "Pooling") && m.pooled(), slices.Contains(after, name) && !m.pooled():
		return fmt.Errorf("a second Pooling, or a %s before it, is %w", name, ErrUnsupported)
	}
	return nil
}

func (m *Modules) take(fsys fs.FS, name, folder string) error {
	switch name {
	case "Transformer", "MLMTransformer":
		m.Transformer = folder
	case "SpladePooling":
		m.Splade = folder
	case "StaticEmbedding":
		m.Transformer, m.Static, m.Pooling = folder, true, []PoolingMode{PoolMean}
	case "Pooling":
		return m.readPooling(fsys, folder)
	case "WeightedLayerPooling":
		m.LayerMix = folder
	case "Dense", "LayerNorm":
		m.After = append(m.After, Module{name, folder})
	case "Normalize":
		m.Normalize = true
		return readNormalize(fsys, folder)
	}
	return nil
}

// readNormalize refuses a Normalize of anything but the vector. Mostly it has no file.
func readNormalize(fsys fs.FS, folder string) error {
	if folder == "." { // whose config.json is the encoder's
		return nil
	}
	c := vectorNames{Input: vectorName}
	if err := readInto(fsys, path.Join(folder, "config.json"), &c); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.check()
}

// vectorNames are the features that a module reads and writes: by default the pooled
// vector, which is the only one there is here.
type vectorNames struct {
	Input  string  `json:"module_input_name"`
	Output *string `json:"module_output_name"` // null: the input
}

const vectorName = "sentence_embedding"

func (v *vectorNames) check() error {
	output := v.Input
	if v.Output != nil {
		output = *v.Output
	}
	if v.Input != vectorName || output != vectorName {
		return fmt.Errorf("module_input_name %q, module_output_name %q: anything but %s is %w", v.Input, output, vectorName, ErrUnsupported)
	}
	return nil
}

func moduleName(class string) (string, bool) {
	if !strings.HasPrefix(class, "sentence_transformers.") {
		return "", false
	}
	return class[strings.LastIndexByte(class, '.')+1:], true
}

package model

import (
	"errors"
	"fmt"
	"io/fs"
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
	Dense         []string      // folders of the dense modules, in order
	Normalize     bool          // vectors are scaled to length 1

	width int // of the hidden states that pooling expects; 0 where it is not said
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
	if !m.pooled() {
		return m, errors.New("modules.json lists no Pooling: it makes no sentence vectors")
	}
	return m, nil
}

// add takes the next module. The type is a Python class path whose middle parts
// changed between versions of sentence-transformers; its last part did not.
func (m *Modules) add(fsys fs.FS, i int, class, folder string) error {
	name, ok := moduleName(class)
	if !ok {
		return fmt.Errorf("type %q is code of the repository's own: %w", class, ErrUnsupported)
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

var moduleNames = []string{"Transformer", "MLMTransformer", "StaticEmbedding", "Pooling", "SpladePooling", "Dense", "Normalize"}

// first lists the modules that a list begins with; nothing else may.
var first = []string{"Transformer", "MLMTransformer", "StaticEmbedding"}

func (m *Modules) pooled() bool { return len(m.Pooling) > 0 || m.Splade != "" }

// checkOrder knows the one order that is computed: encoder, pooling, dense
// modules, normalisation. A static embedding has its pooling inside.
func (m *Modules) checkOrder(i int, name string) error {
	switch {
	case (i == 0) != slices.Contains(first, name):
		return fmt.Errorf("one of %s first, and nowhere else; anything but that is %w", strings.Join(first, ", "), ErrUnsupported)
	case m.Normalize:
		return fmt.Errorf("%s behind Normalize is %w", name, ErrUnsupported)
	case m.Splade != "":
		return fmt.Errorf("%s behind SpladePooling is %w", name, ErrUnsupported)
	case strings.HasSuffix(name, "Pooling") && m.pooled(), name == "Dense" && !m.pooled():
		return fmt.Errorf("a second Pooling, or a Dense before it, is %w", ErrUnsupported)
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
	case "Dense":
		m.Dense = append(m.Dense, folder)
	case "Normalize":
		m.Normalize = true
	}
	return nil
}

func moduleName(class string) (string, bool) {
	if !strings.HasPrefix(class, "sentence_transformers.") {
		return "", false
	}
	return class[strings.LastIndexByte(class, '.')+1:], true
}

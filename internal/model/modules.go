package model

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Modules is what modules.json says about the stages of a sentence-transformers
// model: the folder of each, relative to the repository's root.
type Modules struct {
	Transformer string   // folder of the encoder's config.json, "." for the root
	Pooling     string   // folder of the pooling configuration, "" for none
	Dense       []string // folders of the dense modules, in order
	Normalize   bool     // vectors are scaled to length 1
}

// ReadModules reads modules.json in every spelling of the module types. Without
// that file a repository is a bare encoder, for which sentence-transformers
// takes mean pooling and does not normalise.
func ReadModules(fsys fs.FS) (Modules, error) {
	m := Modules{Transformer: "."}
	data, err := readConfig(fsys, "modules.json")
	if errors.Is(err, fs.ErrNotExist) {
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
		if err := m.add(i, entry.Type, entry.Path); err != nil {
			return m, fmt.Errorf("modules.json: module %d: %w", i, err)
		}
	}
	if len(list) == 0 {
		return m, errors.New("modules.json lists no module")
	}
	return m, nil
}

// add takes the next module. The type is a Python class path whose middle parts
// changed between versions of sentence-transformers; its last part did not.
func (m *Modules) add(i int, class, folder string) error {
	name, ok := moduleName(class)
	if !ok {
		return fmt.Errorf("type %q is code of the repository's own, which Paceline does not run", class)
	}
	if folder == "" {
		folder = "."
	}
	if !fs.ValidPath(folder) {
		return fmt.Errorf("path %q leaves the repository", folder)
	}
	switch {
	case (i == 0) != (name == "Transformer"):
		return fmt.Errorf("type %s: the first module, and no other, must be a Transformer", name)
	case m.Normalize:
		return fmt.Errorf("type %s stands behind Normalize, which must be last", name)
	}
	switch name {
	case "Transformer":
		m.Transformer = folder
	case "Pooling":
		if m.Pooling != "" || len(m.Dense) > 0 {
			return errors.New("a second Pooling, or one behind Dense, is not supported")
		}
		m.Pooling = folder
	case "Dense":
		m.Dense = append(m.Dense, folder)
	case "Normalize":
		m.Normalize = true
	default:
		return fmt.Errorf("type %s is not supported (supported: Transformer, Pooling, Dense, Normalize)", name)
	}
	return nil
}

func moduleName(class string) (string, bool) {
	if !strings.HasPrefix(class, "sentence_transformers.") {
		return "", false
	}
	return class[strings.LastIndexByte(class, '.')+1:], true
}

package modelrepo

import (
	"io/fs"
	"strings"
)

// Broken names the links of a repository that lead nowhere, sorted. No model can be
// read through them, so List has none of them.
func (f Folder) Broken() ([]string, error) {
	entries, err := fs.ReadDir(f, ".")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && isBroken(f, e.Name(), e) {
			list = append(list, e.Name())
		}
	}
	return list, nil
}

// brokenIn warns of the links within a model's folder that lead nowhere.
func (f Folder) brokenIn(name string) (warnings []Diagnostic, err error) {
	err = fs.WalkDir(f, name, func(at string, e fs.DirEntry, err error) error {
		if err == nil && isBroken(f, at, e) {
			warnings = append(warnings, Diagnostic{File: at, Message: "this link leads nowhere"})
		}
		return err
	})
	return warnings, err
}

func isBroken(fsys fs.FS, at string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return false
	}
	_, err := fs.Stat(fsys, at)
	return err != nil
}

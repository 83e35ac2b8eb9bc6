package stack

import (
	"io/fs"
	"regexp"
	"strings"
)

var requirement = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*`)

// asked lists the packages that the stack's requirement files name.
func (d *Definition) asked() (names []string) {
	for _, step := range d.Install {
		text, err := fs.ReadFile(d.Files, step.Requirements)
		if err != nil {
			continue // Read saw it: the folder is going away
		}
		for line := range strings.Lines(string(text)) {
			if name := requirement.FindString(line); name != "" {
				names = append(names, normal(name))
			}
		}
	}
	return names
}

// normal writes a package's name as indexes compare it, with dashes.
func normal(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(name))
}

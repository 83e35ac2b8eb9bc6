package stacks_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/stack"
	"github.com/paceline/paceline/stacks"
)

// TestDefinitions: every folder that the binary carries is a stack that is whole.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	list, err := stack.ReadAll(stacks.Files)
	if err != nil {
		t.Fatal(err)
	}
	folders, err := fs.ReadDir(stacks.Files, ".")
	if err != nil || len(list) != len(folders) {
		t.Errorf("%d definitions in %d folders, %v", len(list), len(folders), err)
	}
	for _, d := range list {
		if _, err := fs.Stat(d.Files, "README.md"); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		for _, s := range d.Servers {
			if !slices.Contains(driver.Dialects(), s.Dialect) {
				t.Errorf("%s: nothing drives the dialect %q", s.Name, s.Dialect)
			}
		}
	}
}

// TestPinned: an installation next year is the one that was measured.
func TestPinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^*; ]+(; .+)?$`)
	files, err := fs.Glob(stacks.Files, "*/requirements*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d lists of packages, %v", len(files), err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(stacks.Files, file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, " #")
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned", file, line)
			}
		}
	}
}

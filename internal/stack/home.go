package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Home is the folder below which stacks are installed.
type Home struct{ Dir string }

func (h Home) folder(d *Definition) string { return filepath.Join(h.Dir, d.Name) }

// Cache is where a stack may keep what it computed, such as compiled kernels.
func (h Home) Cache(d *Definition) string { return filepath.Join(h.folder(d), "cache") }

// InstallLog is what the installations of a stack wrote.
func (h Home) InstallLog(d *Definition) string { return filepath.Join(h.folder(d), "install.log") }

// ServerLog is what the last run of a server under `paceline stack` wrote.
func (h Home) ServerLog(server string) string {
	return filepath.Join(h.Dir, "logs", server+".log")
}

// Size is how much of the disk a stack's environment takes. It grows while the
// environment is made, so what vanishes meanwhile is no error.
func (h Home) Size(d *Definition) (bytes uint64) {
	filepath.WalkDir(h.environment(d), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			bytes += uint64(info.Size())
		}
		return nil
	})
	return bytes
}

func (h Home) files(d *Definition) string { return filepath.Join(h.folder(d), "files") }

func (h Home) environment(d *Definition) string { return filepath.Join(h.folder(d), "venv") }

// python is the interpreter of the stack's own environment.
func (h Home) python(d *Definition) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(h.environment(d), "Scripts", "python.exe")
	}
	return filepath.Join(h.environment(d), "bin", "python")
}

// unpack writes the stack's files where programs can read them. What is there
// already and the same is left alone, so that a running server is not disturbed.
func (h Home) unpack(d *Definition) error {
	root := h.files(d)
	return fs.WalkDir(d.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		if entry.IsDir() {
			return os.MkdirAll(path, 0o755)
		}
		text, err := fs.ReadFile(d.Files, name)
		if err != nil {
			return err
		}
		return writeChanged(path, text)
	})
}

// writeChanged replaces a file as a whole, and only if that changes it.
func writeChanged(path string, text []byte) error {
	have, err := os.ReadFile(path)
	if err == nil && string(have) == string(text) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	aside, err := os.CreateTemp(filepath.Dir(path), ".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	if _, err := aside.Write(text); err != nil {
		aside.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := errors.Join(aside.Chmod(0o644), aside.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(aside.Name(), path)
}

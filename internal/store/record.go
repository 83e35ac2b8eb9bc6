package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Record is our note of a snapshot that was fetched and checked: all its files
// with their hashes, so that they can be checked again without the hub.
type Record struct {
	Name     string                `json:"name"`
	Revision string                `json:"revision"`
	Source   string                `json:"source"` // the hub's address, or the packages
	License  string                `json:"license,omitempty"`
	Fetched  time.Time             `json:"fetched"`
	Files    map[string]FileRecord `json:"files"` // by path in the repository
}

// FileRecord is what a file was when it was fetched.
type FileRecord struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func (s *Store) recordFile(name, revision string) string {
	return filepath.Join(s.o.Own, "records", strings.ReplaceAll(name, "/", "--"), revision+".json")
}

func (s *Store) readRecord(name, revision string) (*Record, error) {
	file := s.recordFile(name, revision)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(r.Files) == 0 {
		return nil, fmt.Errorf("%s: records no file", file)
	}
	return &r, nil
}

// writeRecord writes the note aside and renames it.
func (s *Store) writeRecord(r *Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	file := s.recordFile(r.Name, r.Revision)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(aside, append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.Rename(aside, file); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return nil
}

// lacking lists the recorded files that a folder does not have at their size.
func (r *Record) lacking(dir string) []string {
	var lacking []string
	for _, path := range slices.Sorted(maps.Keys(r.Files)) {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(path)))
		switch {
		case err != nil:
			lacking = append(lacking, path)
		case info.Size() != r.Files[path].Size:
			lacking = append(lacking, fmt.Sprintf("%s (%d of %d bytes)", path, info.Size(), r.Files[path].Size))
		}
	}
	return lacking
}

package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// Limits on what a configuration may claim, far beyond any model that exists.
// They keep products of sizes inside an int; what is really there is then
// checked tensor by tensor.
const (
	maxConfigBytes = 8 << 20
	maxWidth       = 1 << 17
	maxLayers      = 1 << 10
	maxRows        = 1 << 24
	maxTokenTypes  = 1 << 8 // Batch.Types holds bytes
)

// readConfig reads a small JSON file whole. Its error is fs.ErrNotExist's kind
// when there is no such file.
func readConfig(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(path.Clean(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxConfigBytes {
		return nil, fmt.Errorf("%s is larger than %d MiB: not a configuration file", name, maxConfigBytes>>20)
	}
	return data, nil
}

// decodeConfig decodes into a struct that already holds the defaults.
func decodeConfig(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%q is a JSON %s where a %s belongs", wrong.Field, wrong.Value, wrong.Type)
	}
	return err
}

// readInto reads a small JSON file into a struct or map that already holds the defaults.
func readInto(fsys fs.FS, name string, into any) error {
	data, err := readConfig(fsys, name)
	if err != nil {
		return err
	}
	if err := decodeConfig(data, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func inRange(key string, v, low, high int) error {
	if v < low || v > high {
		return fmt.Errorf("%s is %d; it must lie between %d and %d", key, v, low, high)
	}
	return nil
}

func divides(key string, v int, of string, whole int) error {
	if v < 1 || whole%v != 0 {
		return fmt.Errorf("%s %d does not divide %s %d", key, v, of, whole)
	}
	return nil
}

func epsilon(key string, v float64) error {
	if !(v > 0 && v < 1) {
		return fmt.Errorf("%s is %g; it must lie between 0 and 1", key, v)
	}
	return nil
}

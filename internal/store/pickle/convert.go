package pickle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names of the files in Hugging Face's layout.
const (
	oldStem, newStem = "pytorch_model", "model"
	oldIndex         = "pytorch_model.bin.index.json"
	newIndex         = "model.safetensors.index.json"
)

// Convert writes, for every pytorch_model.bin (or shard, or shards' index) of a
// repository's folder and the folders in it, the safetensors file that goes by its
// side, and returns the new files' paths. Each is written aside and then renamed; a
// file that is there already is an error. Links are followed: the hub's cache
// consists of them.
func Convert(ctx context.Context, dir string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"*", "*/*"} {
		found, err := filepath.Glob(filepath.Join(escape(dir), pattern))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	var written []string
	for _, file := range files {
		out, ok := outputOf(file)
		if !ok {
			continue
		}
		if err := convertFile(ctx, file, out); err != nil {
			return written, fmt.Errorf("%s: %w", file, err)
		}
		written = append(written, out)
	}
	if len(written) == 0 {
		return nil, fmt.Errorf("%s has no %s.bin, nor a folder in it: %w", dir, oldStem, fs.ErrNotExist)
	}
	return written, nil
}

// escape keeps a folder's own name out of the pattern.
func escape(dir string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(dir)
}

// outputOf is the file to write for one that is to be converted.
func outputOf(file string) (out string, ok bool) {
	folder, name := filepath.Split(file)
	if name == oldIndex {
		return folder + newIndex, true
	}
	name, ok = renamed(name)
	return folder + name, ok
}

// renamed maps "pytorch_model-00001-of-00002.bin" to "model-00001-of-00002.safetensors".
func renamed(name string) (string, bool) {
	middle, ok := strings.CutPrefix(name, oldStem)
	middle, bin := strings.CutSuffix(middle, ".bin")
	return newStem + middle + ".safetensors", ok && bin && (middle == "" || middle[0] == '-')
}

func convertFile(ctx context.Context, file, out string) (err error) {
	if _, err := os.Stat(out); err == nil {
		return fmt.Errorf("%s is there already: %w", out, fs.ErrExist)
	}
	aside, err := os.CreateTemp(filepath.Dir(out), ".convert-*")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, aside.Close())
		if err == nil {
			err = os.Rename(aside.Name(), out)
		}
		if err != nil {
			os.Remove(aside.Name())
		}
	}()
	if err := aside.Chmod(0o644); err != nil {
		return err
	}
	if filepath.Base(file) == oldIndex {
		return convertIndex(file, aside)
	}
	return convertWeights(ctx, file, aside)
}

func convertWeights(ctx context.Context, file string, out *os.File) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	c, err := Read(in, info.Size())
	if err != nil {
		return err
	}
	return c.WriteSafetensors(ctx, out)
}

// convertIndex names the shards anew.
func convertIndex(file string, out *os.File) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var index struct {
		Metadata json.RawMessage   `json:"metadata,omitempty"`
		Shards   map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return err
	}
	for tensor, shard := range index.Shards {
		name, ok := renamed(shard)
		if !ok {
			return fmt.Errorf("tensor %s lies in %q, which is no shard", tensor, shard)
		}
		index.Shards[tensor] = name
	}
	return json.NewEncoder(out).Encode(index)
}

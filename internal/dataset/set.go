package dataset

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Set is a list of texts and where they came from.
type Set struct {
	Source string   // what a manifest should say of the origin: a path, a URL, or the generator's arguments
	SHA256 string   // of the texts in the form WriteTo gives them, in hexadecimal: the digest of a file that Save wrote
	Texts  []string // valid UTF-8, in the order of the source
}

// newSet completes a set with its digest.
func newSet(source string, texts []string) Set {
	digest := sha256.New()
	set := Set{Source: source, Texts: texts}
	if _, err := set.WriteTo(digest); err != nil {
		panic(err) // a hash takes every write
	}
	set.SHA256 = hex.EncodeToString(digest.Sum(nil))
	return set
}

// WriteTo writes the texts as a JSON list of strings, one text a line.
func (s Set) WriteTo(w io.Writer) (int64, error) {
	buffer := bufio.NewWriterSize(w, 64<<10)
	var written int64
	put := func(b []byte) error {
		n, err := buffer.Write(b)
		written += int64(n)
		return err
	}
	separator := []byte("[\n")
	for _, text := range s.Texts {
		line, err := encodeText(text)
		if err != nil {
			return written, err
		}
		if err := put(append(separator, line...)); err != nil {
			return written, err
		}
		separator = []byte(",\n")
	}
	if len(s.Texts) == 0 {
		separator = []byte("[")
	} else {
		separator = []byte("\n")
	}
	if err := put(append(separator, "]\n"...)); err != nil {
		return written, err
	}
	return written, buffer.Flush()
}

// encodeText is a text as a JSON string, without the escapes that only HTML needs.
func encodeText(text string) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line.Bytes(), []byte("\n")), nil
}

// Save writes the set to a file that Load reads. The file appears whole or not at all.
func (s Set) Save(path string) (err error) {
	aside, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write texts: %w", err)
	}
	defer func() {
		if err != nil {
			aside.Close()
			os.Remove(aside.Name())
		}
	}()
	if _, err := s.WriteTo(aside); err != nil {
		return fmt.Errorf("write texts to %s: %w", path, err)
	}
	if err := aside.Chmod(0o644); err != nil {
		return fmt.Errorf("write texts to %s: %w", path, err)
	}
	if err := aside.Close(); err != nil {
		return fmt.Errorf("write texts to %s: %w", path, err)
	}
	if err := os.Rename(aside.Name(), path); err != nil {
		return fmt.Errorf("write texts to %s: %w", path, err)
	}
	return nil
}

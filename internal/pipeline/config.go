package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

const (
	sentenceConfigFile  = "config_sentence_transformers.json"
	tokenizerConfigFile = "tokenizer_config.json"
	maxConfigBytes      = 64 << 20 // tokenizer.json is the largest that is read here
)

// decodeFile decodes a JSON file; found is false when there is none.
func decodeFile(fsys fs.FS, name string, into any) (found bool, err error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxConfigBytes {
		return false, fmt.Errorf("%s is larger than %d MiB: not a configuration file", name, maxConfigBytes>>20)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

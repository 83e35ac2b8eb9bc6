package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// maxIndexBytes bounds model.safetensors.index.json; a model of ten thousand
// tensors needs about 1 MB.
const maxIndexBytes = 64 << 20

// ReadIndex reads a model.safetensors.index.json and returns, for every tensor,
// the shard that holds it: a plain file name beside the index.
func ReadIndex(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxIndexBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(text) > maxIndexBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, maxIndexBytes)
	}
	shards, err := parseIndex(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, asFault(err).Reason)
	}
	return shards, nil
}

func parseIndex(text []byte) (map[string]string, error) {
	var index struct {
		WeightMap json.RawMessage `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, err
	}
	if index.WeightMap == nil {
		return nil, fault("no \"weight_map\"")
	}
	shards := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(index.WeightMap))
	err := eachMember(d, func(tensor string) error {
		if _, twice := shards[tensor]; twice {
			return fault("weight_map names tensor %.80q twice", tensor)
		}
		var shard string
		if err := d.Decode(&shard); err != nil {
			return err
		}
		if shard != filepath.Base(shard) || !filepath.IsLocal(shard) || shard == "." {
			return fault("weight_map puts tensor %.80q into %.80q, want the name of a file beside the index", tensor, shard)
		}
		shards[tensor] = shard
		return nil
	})
	return shards, err
}

// openShards opens the shards that an index names and checks that they hold
// every tensor it lists.
func openShards(index string, shards map[string]string) (*Set, error) {
	var paths []string
	for _, shard := range slices.Compact(slices.Sorted(maps.Values(shards))) {
		paths = append(paths, filepath.Join(filepath.Dir(index), shard))
	}
	s, err := Open(paths...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", index, err)
	}
	for _, tensor := range slices.Sorted(maps.Keys(shards)) {
		if _, ok := s.tensors[tensor]; !ok {
			return nil, closeAfter(s, fmt.Errorf("%s: tensor %.80q is in no shard; %s should hold it", index, tensor, shards[tensor]))
		}
	}
	return s, nil
}

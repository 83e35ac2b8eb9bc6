package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/store/safetensors"
)

// ErrPickle marks a repository whose weights can only be had by running a pickle.
var ErrPickle = errors.New("its weights are only in pytorch_model.bin, a pickle, which can run code when it is read")

// small are the files around the weights that an encoder, its tokenizer and its
// pipeline are read from.
var small = []string{
	"config.json", "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json",
	"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
	"vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model",
}

// older spellings of sentence_bert_config.json, one an architecture
var transformerConfig = regexp.MustCompile(`^sentence_[\w-]+_config\.json$`)

// tokenizers are the files of which one is enough to make ids.
var tokenizers = []string{"tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"}

var (
	shardName    = regexp.MustCompile(`^model-\d+-of-\d+\.safetensors$`)
	moduleFolder = regexp.MustCompile(`^\d+_\w+$`) // 1_Pooling, 2_Dense
)

// Needed picks from a repository's listing what is worth fetching: no second
// copies of the weights for other programs (ONNX, OpenVINO, TensorFlow, pickles).
func Needed(listing []string) ([]string, error) {
	single := slices.Contains(listing, safetensors.SingleFile)
	var needed []string
	weights, pickles := 0, 0
	for _, file := range listing {
		switch {
		case isWeights(file, single):
			weights++
			needed = append(needed, file)
		case isSmall(file):
			needed = append(needed, file)
		case path.Base(file) == "pytorch_model.bin":
			pickles++
		}
	}
	switch {
	case weights == 0 && pickles > 0:
		return nil, fmt.Errorf("%w; many repositories have a converted copy at @refs/pr/1, or `paceline models convert DIR` writes safetensors beside the pickle in a folder of yours, without running anything in it; then give DIR as the model", ErrPickle)
	case weights == 0:
		return nil, fmt.Errorf("it has no %s and no %s", safetensors.SingleFile, safetensors.IndexFile)
	}
	return needed, nil
}

func isWeights(file string, single bool) bool {
	folder, base := path.Split(file)
	switch {
	case folder != "":
		return base == safetensors.SingleFile && moduleFolder.MatchString(path.Clean(folder))
	case single:
		return base == safetensors.SingleFile
	default:
		return base == safetensors.IndexFile || shardName.MatchString(base)
	}
}

func isSmall(file string) bool {
	folder, base := path.Split(file)
	if folder != "" && !moduleFolder.MatchString(path.Clean(folder)) {
		return false
	}
	return slices.Contains(small, base) || transformerConfig.MatchString(base)
}

// missing lists what a snapshot lacks to be used. absent tells which files the
// repository is known not to have: without that, a folder that another program
// fetched in part cannot be told from a repository that has no modules.json,
// and the vectors would be pooled in the wrong way without a word.
func missing(dir string, absent func(path string) bool) []string {
	var lacking []string
	has := func(file string) bool {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(file)))
		return err == nil && info.Mode().IsRegular()
	}
	var p modules
	if has("modules.json") {
		text, _ := os.ReadFile(filepath.Join(dir, "modules.json")) // what cannot be read is no JSON
		p = parseModules(text)
		lacking = append(lacking, slices.DeleteFunc(p.needed, has)...)
	} else if !absent("modules.json") {
		lacking = append(lacking, "modules.json")
	}
	base := p.encoder
	if config := path.Join(base, "config.json"); !p.static && !has(config) {
		lacking = append(lacking, config)
	}
	if !slices.ContainsFunc(tokenizers, func(file string) bool { return has(path.Join(base, file)) || has(file) }) {
		lacking = append(lacking, "tokenizer.json")
	}
	return append(lacking, missingWeights(dir, base, has)...)
}

// missingWeights lists the files of the checkpoint that are not there.
func missingWeights(dir, base string, has func(string) bool) []string {
	single, index := path.Join(base, safetensors.SingleFile), path.Join(base, safetensors.IndexFile)
	if has(single) {
		return nil
	}
	if !has(index) {
		return []string{single}
	}
	shards, err := safetensors.ReadIndex(filepath.Join(dir, filepath.FromSlash(index)))
	if err != nil {
		return []string{index}
	}
	var lacking []string
	for _, shard := range shards {
		if file := path.Join(base, shard); !has(file) && !slices.Contains(lacking, file) {
			lacking = append(lacking, file)
		}
	}
	slices.Sort(lacking)
	return lacking
}

// moduleFiles are what a module of a pipeline cannot do without, by its type.
var moduleFiles = map[string][]string{
	"Pooling":              {"config.json"},
	"Dense":                {"config.json", safetensors.SingleFile},
	"LayerNorm":            {"config.json", safetensors.SingleFile},
	"WeightedLayerPooling": {"config.json", safetensors.SingleFile},
}

// modules is what a modules.json says of files.
type modules struct {
	encoder string   // the folder of the first module
	static  bool     // the first module is a table of word vectors, without config.json
	needed  []string // files of the others
}

func parseModules(text []byte) modules {
	var list []struct{ Path, Type string }
	if json.Unmarshal(text, &list) != nil {
		return modules{needed: []string{"modules.json (not the JSON of a list of modules)"}}
	}
	var m modules
	for i, module := range list {
		folder, kind := path.Clean(module.Path), module.Type[strings.LastIndexByte(module.Type, '.')+1:]
		if !filepath.IsLocal(filepath.FromSlash(folder)) {
			continue // the pipeline's reader says what is wrong with it
		}
		if i == 0 {
			m.encoder, m.static = folder, kind == "StaticEmbedding"
		}
		for _, base := range moduleFiles[kind] {
			m.needed = append(m.needed, path.Join(folder, base))
		}
	}
	return m
}

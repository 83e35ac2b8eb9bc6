package model

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// poolingConfig is the Pooling module's config.json in both spellings: one
// boolean a mode, or since sentence-transformers 6 the modes' names.
type poolingConfig struct {
	CLS          bool `json:"pooling_mode_cls_token"`
	Max          bool `json:"pooling_mode_max_tokens"`
	Mean         bool `json:"pooling_mode_mean_tokens"`
	MeanSqrt     bool `json:"pooling_mode_mean_sqrt_len_tokens"`
	WeightedMean bool `json:"pooling_mode_weightedmean_tokens"`
	Last         bool `json:"pooling_mode_lasttoken"`

	Modes        modeNames `json:"pooling_mode"`
	OldDimension int       `json:"word_embedding_dimension"`
	Dimension    int       `json:"embedding_dimension"`
}

func readPooling(fsys fs.FS, modules Modules, hidden int) ([]PoolingMode, error) {
	if modules.Pooling == "" {
		if len(modules.Dense) > 0 || modules.Normalize {
			return nil, errors.New("modules.json: Dense and Normalize need a Pooling module before them")
		}
		return []PoolingMode{PoolMean}, nil
	}
	file := path.Join(modules.Pooling, "config.json")
	data, err := readConfig(fsys, file)
	if err != nil {
		return nil, err
	}
	var c poolingConfig
	if err := decodeConfig(data, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	modes, err := c.modes(hidden)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return modes, nil
}

func (c *poolingConfig) modes(hidden int) ([]PoolingMode, error) {
	for _, d := range []int{c.OldDimension, c.Dimension} {
		if d != 0 && d != hidden {
			return nil, fmt.Errorf("dimension %d; the encoder's is %d", d, hidden)
		}
	}
	if len(c.Modes) > 0 {
		return c.named()
	}
	var modes []PoolingMode
	for i, on := range []bool{c.CLS, c.Max, c.Mean, c.MeanSqrt, c.WeightedMean, c.Last} {
		if on {
			modes = append(modes, poolingModes[i])
		}
	}
	if len(modes) == 0 {
		return nil, errors.New("no pooling mode is switched on")
	}
	return modes, nil
}

func (c *poolingConfig) named() ([]PoolingMode, error) {
	var modes []PoolingMode
	for _, name := range c.Modes {
		mode := PoolingMode(strings.ToLower(name))
		if !slices.Contains(poolingModes, mode) || slices.Contains(modes, mode) {
			return nil, fmt.Errorf("pooling_mode %q is unknown or named twice (known: %v)", name, poolingModes)
		}
		modes = append(modes, mode)
	}
	return modes, nil
}

// modeNames is one name or a list of them.
type modeNames []string

func (m *modeNames) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return decodeConfig(data, (*[]string)(m))
	}
	var one string
	if err := decodeConfig(data, &one); err != nil {
		return err
	}
	if one != "" {
		*m = modeNames{one}
	}
	return nil
}

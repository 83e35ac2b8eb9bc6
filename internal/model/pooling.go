package model

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// poolingConfig is the Pooling module's config.json in both spellings: one
// boolean a mode, or the modes' names.
type poolingConfig struct {
	CLS          bool `json:"pooling_mode_cls_token"`
	Max          bool `json:"pooling_mode_max_tokens"`
	Mean         bool `json:"pooling_mode_mean_tokens"`
	MeanSqrt     bool `json:"pooling_mode_mean_sqrt_len_tokens"`
	WeightedMean bool `json:"pooling_mode_weightedmean_tokens"`
	Last         bool `json:"pooling_mode_lasttoken"`

	Modes         modeNames `json:"pooling_mode"`
	IncludePrompt bool      `json:"include_prompt"`

	OldWidth int `json:"word_embedding_dimension"`
	Width    int `json:"embedding_dimension"`
}

// readPooling fills what the Pooling module in that folder says.
func (m *Modules) readPooling(fsys fs.FS, folder string) error {
	file := path.Join(folder, "config.json")
	data, err := readConfig(fsys, file)
	if err != nil {
		return err
	}
	c := poolingConfig{IncludePrompt: true}
	if err := decodeConfig(data, &c); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if m.Pooling, err = c.modes(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	m.IncludePrompt = c.IncludePrompt
	m.width = max(c.OldWidth, c.Width)
	return nil
}

func (c *poolingConfig) modes() ([]PoolingMode, error) {
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
		return []PoolingMode{PoolMean}, nil // as sentence-transformers does
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

package model

import "fmt"

// ropeConfig is rope_parameters, or one kind of layer's entry in it, or the older
// rope_scaling, in which the type has another name.
type ropeConfig struct {
	Type    string  `json:"rope_type"`
	OldType string  `json:"type"`
	Theta   float64 `json:"rope_theta"`
	Factor  float64 `json:"factor"`
	MixedB  float64 `json:"mixed_b"`
}

// rotary is what a family makes of it: Layer's RotaryTheta and RotaryDivisor.
type rotary struct{ Theta, Divisor float64 }

// take applies c to bases that were given elsewhere.
func (r *rotary) take(c ropeConfig) error {
	if c.Theta != 0 {
		r.Theta = c.Theta
	}
	kind := c.Type
	if kind == "" {
		kind = c.OldType
	}
	switch kind {
	case "", "default":
		return nil
	case "linear":
		if !(c.Factor >= 1 && c.Factor < 1e6) {
			return fmt.Errorf("rope factor is %g; it must lie between 1 and 1e6", c.Factor)
		}
		r.Divisor = c.Factor
		return nil
	}
	return fmt.Errorf("rope_type %q is %w (known: default, linear)", kind, ErrUnsupported)
}

func (r *rotary) check() error {
	if !(r.Theta > 1 && r.Theta < 1e12) {
		return fmt.Errorf("the rotary base is %g; it must lie between 1 and 1e12", r.Theta)
	}
	return nil
}

// even refuses heads whose halves cannot be rotated against each other.
func even(key string, v int) error {
	if v%2 != 0 {
		return fmt.Errorf("%s is %d; rotary positions need an even number", key, v)
	}
	return nil
}

// readRopes reads the bases of families whose layers are of two kinds: rope_parameters,
// by kind, wins over the two keys of older files.
func readRopes(given map[string]ropeConfig, globalTheta, localTheta float64) (global, local rotary, err error) {
	global, local = rotary{Theta: globalTheta}, rotary{Theta: localTheta}
	if err := firstError(global.take(given[globalAttention]), global.check()); err != nil {
		return global, local, fmt.Errorf("%s: %w", globalAttention, err)
	}
	if err := firstError(local.take(given[localAttention]), local.check()); err != nil {
		return global, local, fmt.Errorf("%s: %w", localAttention, err)
	}
	return global, local, nil
}

package model

import "fmt"

// The entries of layer_types: what a layer attends to.
const (
	globalAttention = "full_attention"
	localAttention  = "sliding_attention"
)

// checkLayerTypes checks a list that a file may leave out.
func checkLayerTypes(types []string, layers int) error {
	if types != nil && len(types) != layers {
		return fmt.Errorf("layer_types has %d entries for %d layers", len(types), layers)
	}
	for _, kind := range types {
		if kind != globalAttention && kind != localAttention {
			return fmt.Errorf("layer type %q is not known (known: %s, %s)", kind, globalAttention, localAttention)
		}
	}
	return nil
}

// isGlobal tells what layer i is, by the list or, without one, by the family's period.
func isGlobal(types []string, i int, byPeriod bool) bool {
	if types != nil {
		return types[i] == globalAttention
	}
	return byPeriod
}

// windowOf is Layer's Window for a decoder's sliding_window: a causal layer counts the
// query itself among the tokens of the window; one that sees both ways
// takes as many on each side (transformers' masking_utils.py).
func windowOf(tokens int, causal bool) int {
	if causal {
		return tokens - 1
	}
	return tokens
}

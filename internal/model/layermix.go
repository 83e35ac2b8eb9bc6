package model

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"path"
)

// readLayerMix reads the WeightedLayerPooling module: hidden states are the mean of
// those from layer_start on, weighted by a tensor of the module's. It does nothing
// unless the encoder's config.json has it return all hidden states, as
// sentence-transformers does.
func readLayerMix(fsys fs.FS, modules Modules, s *Spec, tensors Tensors) ([]float32, error) {
	if modules.LayerMix == "" {
		return nil, nil
	}
	var encoder struct {
		AllStates bool `json:"output_hidden_states"`
	}
	c := struct {
		Layers int `json:"num_hidden_layers"`
		Start  int `json:"layer_start"`
	}{12, 4}
	for file, into := range map[string]any{
		path.Join(modules.Transformer, "config.json"): &encoder,
		path.Join(modules.LayerMix, "config.json"):    &c,
	} {
		if err := readInto(fsys, file, into); err != nil {
			return nil, err
		}
	}
	if !encoder.AllStates {
		return nil, nil
	}
	mix, err := layerWeights(tensors, modules.LayerMix+"/layer_weights", len(s.Layers), c.Layers, c.Start)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", modules.LayerMix, err)
	}
	return mix, nil
}

// layerWeights are shares of 1 for the encoder's layers, 0 before the first that
// counts.
func layerWeights(tensors Tensors, name string, layers, said, start int) ([]float32, error) {
	t, ok := tensors.Tensor(name)
	switch {
	case said != layers:
		return nil, fmt.Errorf("num_hidden_layers is %d; the encoder has %d", said, layers)
	case start < 0 || start > layers:
		return nil, fmt.Errorf("layer_start is %d; the encoder has %d layers", start, layers)
	case !ok:
		return nil, fmt.Errorf("tensor %s is missing from the checkpoint", name)
	case t.DType != "F32":
		return nil, fmt.Errorf("tensor %s: type %s; it must be F32", name, t.DType)
	}
	if err := checkTensor(t, []int{layers + 1 - start}); err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	mix := make([]float32, layers+1)
	var sum float64
	for i := range mix[start:] {
		w := math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
		mix[start+i] = w
		sum += float64(w)
	}
	for i := range mix {
		mix[i] = float32(float64(mix[i]) / sum)
	}
	if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, fmt.Errorf("tensor %s: its values add up to %g, so they are no weights", name, sum)
	}
	return mix, nil
}

package cpu

// mix adds the hidden states to the weighted sum of all layers', where the model has
// one; with the last, the sum becomes the hidden states.
func (w *worker) mix(layer int) {
	if w.spec.LayerMix == nil {
		return
	}
	s, weight := &w.scratch, w.spec.LayerMix[layer]
	if layer == 0 {
		s.mixed = resize(s.mixed, len(s.x.Data))
		clear(s.mixed)
	}
	for i, v := range s.x.Data {
		s.mixed[i] += weight * v
	}
	if layer == len(w.weights.layers) {
		copy(s.x.Data, s.mixed)
	}
}

package model

import "fmt"

// Constants of modeling_mpnet.py, whatever config.json says.
const (
	mpnetPadToken    = 1
	mpnetBuckets     = 32  // of the relative positions that are used, however many the table has
	mpnetMaxDistance = 128 // of the relative positions
)

// readMPNet reads MPNet (arXiv 2004.09297; transformers' modeling_mpnet.py), the
// family of all-mpnet-base-v2: BERT without token types, with RoBERTa's
// positions and one table of relative biases for all layers.
func readMPNet(config []byte, tensors Tensors) (*Spec, error) {
	c, err := decodeBERTConfig(config)
	if err != nil {
		return nil, err
	}
	if err := inRange("relative_attention_num_buckets", c.Buckets, mpnetBuckets, maxRows); err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	s := c.spec(t)
	s.RelativeBias = RelativeBias{
		Table:       t.rows("encoder.relative_attention_bias.weight", 0, mpnetBuckets, c.Buckets, c.Heads),
		Buckets:     mpnetBuckets,
		MaxDistance: mpnetMaxDistance,
	}
	s.Layers = t.layers(c.Layers, c.mpnetLayer)
	return s, firstError(t.err, s.countPositionsFrom(mpnetPadToken))
}

func (c *bertConfig) mpnetLayer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("encoder.layer.%d.", i)
	return Layer{
		Query:         t.linear(name+"attention.attn.q", c.Hidden, c.Hidden, true),
		Key:           t.linear(name+"attention.attn.k", c.Hidden, c.Hidden, true),
		Value:         t.linear(name+"attention.attn.v", c.Hidden, c.Hidden, true),
		Output:        t.linear(name+"attention.attn.o", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"attention.LayerNorm", c.Hidden, c.Eps, true),
		FFN:           c.ffn(t, name),
		PostFFN:       t.norm(name+"output.LayerNorm", c.Hidden, c.Eps, true),
	}
}

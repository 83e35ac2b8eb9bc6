package model

import "fmt"

// nomicExperts is what config.json says of NomicBERT's mixture of experts.
type nomicExperts struct {
	Count     int  `json:"num_experts"`
	Every     int  `json:"moe_every_n_layers"` // layer i has one where i modulo this is 1
	Top       int  `json:"moe_top_k"`
	Shared    int  `json:"num_shared_experts"`
	Choose    bool `json:"expert_choice_router"` // experts choose tokens
	Normalize any  `json:"moe_normalize_expert_weights"`
}

// routes tells whether layer i has experts.
func (c *nomicExperts) routes(i int) bool { return c.Every > 0 && i%c.Every == 1 }

func (c *nomicExperts) check() error {
	if c.Every <= 0 {
		return nil
	}
	normalized := c.Normalize != nil && c.Normalize != false
	if c.Shared != 0 || c.Choose || normalized {
		return fmt.Errorf("num_shared_experts %d, expert_choice_router %t, moe_normalize_expert_weights %v: anything but 0, false, false is %w", c.Shared, c.Choose, c.Normalize, ErrUnsupported)
	}
	return firstError(inRange("num_experts", c.Count, 1, maxExperts), inRange("moe_top_k", c.Top, 1, c.Count))
}

const maxExperts = 1 << 10

// mixture reads nomic-embed-text-v2-moe's experts (arXiv 2502.07972; nomic-ai's
// modeling_hf_nomic_bert.py): all in two tensors, one expert below the other, the
// second layer's weights transposed, and one bias for all.
func (c *nomicConfig) mixture(t *checkpoint, name string) FFN {
	e := Experts{
		Router: t.linear(name+"router.layer", c.Count, c.Hidden, false),
		Top:    c.Top,
		Bias:   t.table(name+"experts.bias", c.Hidden),
	}
	for i := 0; i < c.Count && t.err == nil; i++ {
		rows := func(tensor string) Part {
			return t.rows(name+"experts.mlp."+tensor, i*c.Inner, c.Inner, c.Count*c.Inner, c.Hidden)
		}
		e.Each = append(e.Each, FFN{
			Up:         Linear{In: c.Hidden, Out: c.Inner, Weight: rows("w1")},
			Down:       Linear{In: c.Inner, Out: c.Hidden, Weight: rows("w2"), Transposed: true},
			Activation: Activation(c.Activation),
		})
	}
	return FFN{Experts: e}
}

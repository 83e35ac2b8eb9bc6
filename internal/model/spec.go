package model

// Spec is a text encoder as data: sizes, the order of its operations and the
// name of every tensor it is made of. Read checks all of it against the
// checkpoint, so an engine may take the shapes given here for granted.
//
// An engine reads fields, never Family; what it cannot do it refuses by name,
// see Require. Shapes are written as in PyTorch: a linear layer's weight is
// [Out, In] and computes x·Wᵀ + b.
type Spec struct {
	Family       string // config.json's model_type, for people to read
	Hidden       int    // width of the residual stream
	Heads        int    // query heads of each layer
	KeyHeads     int    // heads of keys and values, each shared by Heads/KeyHeads query heads (arXiv 2305.13245); 0 is Heads
	HeadDim      int    // width of one head
	MaxPositions int    // the longest sequence the encoder can take, in tokens

	// ScoreScale multiplies attention scores before anything is added to them; 0 is
	// 1/sqrt(HeadDim).
	ScoreScale float64

	Embedding    Embedding
	RelativeBias RelativeBias // shared by all layers; the zero value is none
	Slopes       []float64    // per head: -slope * |query - key| is added to scaled scores (ALiBi, arXiv 2108.12409); nil is none
	Layers       []Layer
	FinalNorm    Norm // after the last layer; the zero value is none

	// LayerMix, unless nil, weighs the hidden states before the first layer and after
	// each, the last behind FinalNorm: their sum takes the place of the last. It has
	// one weight more than there are layers.
	LayerMix []float32

	Pooling []PoolingMode // at least one, unless there is Splade; several are concatenated in this order
	Dense   []Dense       // applied to the pooled vector, in turn

	Classifier Classifier // the zero value is none
	Splade     Splade     // in place of Pooling and Dense; the zero value is none
}

// SharedBy is how many query heads share one head of keys and values.
func (s *Spec) SharedBy() int {
	if s.KeyHeads == 0 {
		return 1
	}
	return s.Heads / s.KeyHeads
}

// Dim is the length of the vector that an engine fills for one sequence.
func (s *Spec) Dim() int {
	if !s.Splade.IsZero() {
		return s.Splade.Out.Out
	}
	for i := len(s.Dense) - 1; i >= 0; i-- {
		if out := s.Dense[i].Linear.Out; out > 0 {
			return out
		}
	}
	return len(s.Pooling) * s.Hidden
}

// Embedding makes the first hidden state of a token: the sum of its table rows,
// then Norm.
type Embedding struct {
	Vocab      int  // rows of Tokens: ids run from 0 to Vocab-1
	Tokens     Part // [Vocab, Hidden]
	TokenTypes Part // [types, Hidden]; the zero value is none
	Positions  Part // [positions, Hidden]; the zero value is none
	Norm       Norm // the zero value is none

	Scale float64 // multiplies the row of Tokens before anything is added; 0 is 1

	// FirstPosition is the row of Positions that a sequence's first token takes:
	// 0 in BERT. RoBERTa and MPNet count from PadToken+1, and a token whose id is
	// PadToken takes row PadToken and does not advance the count (transformers'
	// create_position_ids_from_input_ids).
	FirstPosition int
	PadToken      int32 // -1: every token advances the count
}

// RelativeBias is added to attention scores after they are scaled: row
// bucket(key - query) of Table, column the head (MPNet, after T5, arXiv
// 1910.10683). With side = Buckets/2 and n = query - key, the bucket is |n|,
// plus side if n < 0; from |n| = side/2 on it is, in float32, side/2 +
// trunc(ln(|n|/(side/2)) / ln(MaxDistance/(side/2)) * (side/2)) in place of |n|,
// at most side-1.
type RelativeBias struct {
	Table       Part // [Buckets, Heads]
	Buckets     int
	MaxDistance int
}

// Layer is one transformer block. With n for a norm (the identity where it is
// the zero value) it computes
//
//	x = PostAttention(x + AttentionResult(Attention(PreAttention(x))))
//	x = PostFFN(x + FFNResult(FFN(PreFFN(x))))
//
// so a post-norm family (BERT) has the Post norms alone, a pre-norm family
// (ModernBERT, Qwen3) the Pre norms alone, and Gemma 3 the Pre and Result norms.
type Layer struct {
	PreAttention, AttentionResult, PostAttention Norm
	PreFFN, FFNResult, PostFFN                   Norm

	Query      Linear // [Heads*HeadDim, Hidden]
	Key, Value Linear // [KeyHeads*HeadDim, Hidden]
	Output     Linear // [Hidden, Heads*HeadDim]

	// QueryNorm and KeyNorm are applied to each head by itself, before positions;
	// the zero value is none.
	QueryNorm, KeyNorm Norm

	// Window limits attention to |query - key| <= Window; 0 is no limit.
	Window int
	// Causal limits attention to keys that do not come after the query.
	Causal bool
	// RotaryTheta turns queries and keys by rotary positions of this base, in
	// float32, halves rotated against each other (RoFormer, arXiv 2104.09864);
	// 0 is none.
	RotaryTheta float64
	// RotaryDivisor divides every angle (position interpolation, arXiv 2306.15595);
	// 0 is 1.
	RotaryDivisor float64

	FFN FFN
}

// FFN is Down(Activation(Up(x))), or Down(Activation(Up(x)) * Gate(x)) where
// Gate is not the zero value (GLU variants, arXiv 2002.05202), or else Experts.
type FFN struct {
	Up, Gate   Linear // [inner, Hidden]
	Down       Linear // [Hidden, inner]
	Activation Activation
	Experts    Experts // in place of Up, Gate and Down; the zero value is none
}

// Experts are several feed-forwards of which each token passes a few (arXiv 1701.06538): with
// p = softmax(Router(x)), the sum of p[i] * Each[i](x) over the Top largest of p, plus
// Bias. What is left of p does not count: the sum's weights come to less than 1.
type Experts struct {
	Router Linear // [len(Each), Hidden]
	Each   []FFN
	Top    int
	Bias   Part // [Hidden]; the zero value is none
}

// IsZero tells whether there are none.
func (e *Experts) IsZero() bool { return len(e.Each) == 0 }

// Dense is a sentence-transformers module after pooling: Norm(Activation(Linear(x))).
type Dense struct {
	Linear     Linear // the zero value is the identity
	Activation Activation
	Norm       Norm // the zero value is none
}

// Classifier makes a sequence's logits, one for each label:
// Out(Norm(Activation(Linear(Pooling(hidden states))))).
type Classifier struct {
	Pooling PoolingMode
	Dense   Dense // [Hidden, Hidden]
	Norm    Norm  // the zero value is none
	Out     Linear
	Labels  []string // as many as Out has outputs
}

// IsZero tells whether the model has no classifier.
func (c *Classifier) IsZero() bool { return c.Out.Weight.IsZero() }

// Splade makes a vector of one weight for each token of the vocabulary (arXiv
// 2107.05720), most of them 0: with logits Out(Norm(Activation(Linear(x)))) for each
// hidden state x of a sequence, the largest of log(1 + max(logit, 0)), or their sum.
type Splade struct {
	Dense Dense // [Hidden, Hidden]
	Norm  Norm
	Out   Linear // [Vocab, Hidden]
	Sum   bool
	Twice bool // log(1 + …) of that once more (arXiv 2504.14839)
}

// IsZero tells whether the model makes dense vectors.
func (p *Splade) IsZero() bool { return p.Out.Weight.IsZero() }

// Linear is x·Wᵀ + b.
type Linear struct {
	In, Out    int
	Weight     Part // [Out, In]
	Bias       Part // [Out]; the zero value is none
	Transposed bool // the checkpoint has the weight as [In, Out]
}

// Norm is layer normalisation: (x - mean) / sqrt(variance + Eps) * weight + bias,
// with the biased variance; or, with RMS, x / sqrt(mean(x²) + Eps) * weight (arXiv
// 1910.07467). The zero value is the identity.
type Norm struct {
	Weight Part // [width]
	Bias   Part // [width]; the zero value is none
	Eps    float32
	RMS    bool
	// FromOne says that the checkpoint holds the weight less one, as Gemma's do.
	FromOne bool
}

// IsZero tells whether the norm is the identity.
func (n Norm) IsZero() bool { return n.Weight.IsZero() }

// Part names some rows of a tensor, so that fused weights (one tensor for query,
// key and value) and separate ones look alike to an engine. The zero value names
// nothing.
type Part struct {
	Name  string
	First int // the first row
	Rows  int
}

// IsZero tells whether the part names nothing.
func (p Part) IsZero() bool { return p.Name == "" }

// Of cuts the part out of its tensor, without copying. It is meant for parts of
// a Spec that Read has checked against the same checkpoint: then ok is true.
func (p Part) Of(tensors Tensors) (t Tensor, ok bool) {
	t, ok = tensors.Tensor(p.Name)
	if !ok || len(t.Shape) == 0 || p.First < 0 || p.Rows < 1 || p.Rows > t.Shape[0]-p.First {
		return Tensor{}, false
	}
	row := len(t.Data) / t.Shape[0]
	t.Data = t.Data[p.First*row : (p.First+p.Rows)*row]
	t.Shape = append([]int{p.Rows}, t.Shape[1:]...)
	return t, true
}

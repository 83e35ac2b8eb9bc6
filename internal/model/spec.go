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
	HeadDim      int    // width of one head
	MaxPositions int    // the longest sequence the encoder can take, in tokens

	Embedding    Embedding
	RelativeBias RelativeBias // shared by all layers; the zero value is none
	Layers       []Layer
	FinalNorm    Norm // after the last layer; the zero value is none

	Pooling []PoolingMode // at least one; several are concatenated in this order
	Dense   []Dense       // applied to the pooled vector, in turn
}

// Dim is the length of the vector that an engine fills for one sequence.
func (s *Spec) Dim() int {
	if n := len(s.Dense); n > 0 {
		return s.Dense[n-1].Linear.Out
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
//	x = PostAttention(x + Attention(PreAttention(x)))
//	x = PostFFN(x + FFN(PreFFN(x)))
//
// so a post-norm family (BERT) leaves the Pre norms empty and a pre-norm family
// (ModernBERT) the Post norms.
type Layer struct {
	PreAttention, PostAttention Norm
	PreFFN, PostFFN             Norm

	Query, Key, Value Linear // [Heads*HeadDim, Hidden]; scores are scaled by 1/sqrt(HeadDim)
	Output            Linear // [Hidden, Heads*HeadDim]

	// Window limits attention to |query - key| <= Window; 0 is no limit.
	Window int
	// RotaryTheta turns queries and keys by rotary positions of this base, in
	// float32, halves rotated against each other (RoFormer, arXiv 2104.09864);
	// 0 is none.
	RotaryTheta float64

	FFN FFN
}

// FFN is Down(Activation(Up(x))), or Down(Activation(Up(x)) * Gate(x)) where
// Gate is not the zero value (GLU variants, arXiv 2002.05202).
type FFN struct {
	Up, Gate   Linear // [inner, Hidden]
	Down       Linear // [Hidden, inner]
	Activation Activation
}

// Dense is a sentence-transformers module after pooling: Activation(Linear(x)).
type Dense struct {
	Linear     Linear
	Activation Activation
}

// Linear is x·Wᵀ + b.
type Linear struct {
	In, Out int
	Weight  Part // [Out, In]
	Bias    Part // [Out]; the zero value is none
}

// Norm is layer normalisation: (x - mean) / sqrt(variance + Eps) * weight + bias,
// with the biased variance. The zero value is the identity.
type Norm struct {
	Weight Part // [width]
	Bias   Part // [width]; the zero value is none
	Eps    float32
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

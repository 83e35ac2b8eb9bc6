package model

// readRoBERTa reads RoBERTa (arXiv 1907.11692), XLM-RoBERTa and CamemBERT: a
// BERT whose positions start behind the padding token's id.
func readRoBERTa(config []byte, tensors Tensors) (*Spec, error) {
	s, err := readBERT(config, tensors)
	if err != nil {
		return nil, err
	}
	c, err := decodeBERTConfig(config)
	if err != nil {
		return nil, err
	}
	return s, s.countPositionsFrom(c.PadToken)
}

// countPositionsFrom makes the first token take the position after the padding
// token's id; the rows up to there are never a counted token's.
func (s *Spec) countPositionsFrom(pad int) error {
	if err := inRange("pad_token_id", pad, 0, s.MaxPositions-2); err != nil {
		return err
	}
	s.Embedding.PadToken = int32(pad)
	s.Embedding.FirstPosition = pad + 1
	s.MaxPositions -= pad + 1
	return nil
}

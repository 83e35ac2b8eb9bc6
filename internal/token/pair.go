package token

// tokenizePair makes s.tokens the tokens of both texts, cut to what MaxTokens leaves for them.
func (t *Tokenizer) tokenizePair(s *scratch, texts []string, o Options) (truncated bool) {
	budget := o.budget(t.template.pairSpecials)
	// A text needs no more tokens than show that it is longer than the budget, unless both are and the odd token
	// goes to the longer.
	t.tokenizeEach(s, texts, budget, o)
	if budget >= 0 && budget%2 == 1 && len(s.tokens[0]) > budget && len(s.tokens[1]) > budget {
		t.tokenizeEach(s, texts, noLimit, o)
	}
	first, second := shares(len(s.tokens[0]), len(s.tokens[1]), budget)
	truncated = first < len(s.tokens[0]) || second < len(s.tokens[1])
	s.tokens[0] = cut(s.tokens[0], first, o.TruncateLeft)
	s.tokens[1] = cut(s.tokens[1], second, o.TruncateLeft)
	return truncated
}

// tokenizeEach tokenizes both texts until they have more than limit tokens each.
func (t *Tokenizer) tokenizeEach(s *scratch, texts []string, limit int, o Options) {
	if limit >= 0 {
		limit++
	}
	for i, text := range texts {
		s.tokens[i], _ = t.appendTokens(s, s.tokens[i][:0], text, limit, o)
	}
}

// cut keeps n tokens, the last ones if left is cut off.
func cut(tokens []token, n int, left bool) []token {
	if left {
		return tokens[:copy(tokens, tokens[len(tokens)-n:])]
	}
	return tokens[:n]
}

// shares are how many of a and b tokens are kept so that together they are no more than budget: the shorter text stays
// whole as long as it is no longer than half, and the longer has the rest (the reference's strategy longest_first).
func shares(a, b, budget int) (int, int) {
	if budget < 0 || a+b <= budget {
		return a, b
	}
	short := min(a, b, budget/2)
	if a > b {
		return budget - short, short
	}
	return short, budget - short
}

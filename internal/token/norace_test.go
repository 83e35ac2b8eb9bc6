//go:build !race

package token

// comparedRounds times a thousand strings a tokenizer are compared with the reference.
const (
	raced          = false
	comparedRounds = 100
)

//go:build !race

package token

// familyRounds times a thousand strings a tokenizer are compared with the reference.
const familyRounds = 100

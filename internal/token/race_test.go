//go:build race

package token

// raced says that the race detector is at work.
const raced = true

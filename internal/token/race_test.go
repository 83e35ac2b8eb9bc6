//go:build race

package token

// The race detector makes text slow and sees nothing in much of it that it would not
// see in a little: `make test` runs the differential tests without it as well.
const (
	raced          = true
	comparedRounds = 2
)

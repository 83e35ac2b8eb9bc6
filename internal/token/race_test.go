//go:build race

package token

// familyRounds: the race detector makes text slow and sees nothing in it that another text would not show.
const familyRounds = 10

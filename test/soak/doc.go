// Package soak loads a running server far beyond what it can do and watches that
// it stays upright: no crash, bounded memory, every accepted request answered
// with the right bytes, the rest refused at once with a time to come again.
//
// It is a test. The short form runs with all others; the long one is
//
//	go test ./test/soak -v -timeout 20m -soak 60s
package soak

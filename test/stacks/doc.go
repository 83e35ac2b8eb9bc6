// Package stacks runs `paceline stack` as users do, with a small Python stack of
// its own: installing, starting, crashing, ending, and a kill without a word.
// Whatever happens, no process of a stack is left.
//
// It is a test; with -real the stacks that Paceline carries take the small one's
// place (docs/benchmarks.md).
package stacks

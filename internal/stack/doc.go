// Package stack knows the real serving stacks: what each needs of a machine, how
// it is installed, started and asked whether it is ready, and by which dialect it
// embeds. All of that is data, one stack.toml in a folder for each; the folder's
// other files are the stack itself.
//
// It is not aware of what a stack computes, of benchmarks and of models beyond
// the folder that is handed to it. Running a server is process's work; this
// package says what is to be run.
//
// Invariants: everything that a stack brings lies in one folder below Paceline's
// cache and goes with it; a step of an installation is done once, and an
// installation that was ended goes on where it stood; a server is given its
// model as a folder and no reason to reach for a network.
package stack

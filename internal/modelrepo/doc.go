// Package modelrepo reads and writes Triton model repositories: a folder a
// model, in it a config.pbtxt and a numbered folder a version.
//
// It knows files and what their fields say. It is not aware of what runs a
// model, of queues, or of any wire.
//
// Invariants: what is wrong with a file is said with its line and column, all of
// it at once where that is possible; what is not understood is named in a
// warning, never dropped in silence; no file makes a reader panic.
package modelrepo

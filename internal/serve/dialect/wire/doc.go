// Package wire is the JSON side of the dialects: it takes request bodies apart
// field by field and writes answers, vectors above all.
//
// It is not aware of HTTP, of any dialect, or of what a field means.
//
// Invariants: a Body never lets more than its limits be decoded; what a Writer
// emits through its typed methods is valid JSON whatever the strings and floats
// are; a float32 goes out in the shortest decimal that reads back to the same
// float32.
package wire

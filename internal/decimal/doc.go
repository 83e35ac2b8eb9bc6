// Package decimal writes float32 as decimals, vectors above all.
//
// It is not aware of who reads them.
//
// Invariants: a number goes out as the shortest decimal that reads back to the same float32; what
// is written is valid JSON whatever the number is.
package decimal

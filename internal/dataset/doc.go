// Package dataset provides the texts that benchmarks and load tests send: generated from a seed, or read from the
// formats that retrieval data sets come in.
//
// It knows files, the data hub's parquet listing and the statistics of MS MARCO passages; it is not aware of
// tokenizers, models, servers or measurements.
//
// Invariants: a generated set depends on nothing but its arguments, and a shorter set with the same seed is a prefix of
// a longer one; every text is valid UTF-8; a set's SHA256 is a function of its texts alone, whatever file they came
// from; reading needs memory for the texts kept, never for the whole file.
package dataset

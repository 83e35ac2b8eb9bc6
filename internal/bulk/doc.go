// Package bulk embeds files: rows in, rows with vectors out, in the same order, however
// many there are, and so that a run that was killed goes on where it stopped.
//
// Rows are read into chunks; each chunk is encoded by itself, several at a time, while
// others are read and written; in their old order they fill pieces, which are the unit
// of writing. A piece is appended to the data file and synced, and then a line is
// appended to the journal and synced: what the journal does not tell of is cut off by
// the next run. Both lie in a folder beside the output, which gets its name when it is
// whole.
//
// A run that goes on reads the rows that are done again and compares their digest with
// the journal's, so that it never mixes two inputs, and needs no place to seek to.
//
// The package knows neither engine nor model: it is handed an Encoder and what names
// the vectors' origin.
//
// Invariants: there are as many rows out as in, in the input's order; memory is bounded
// by the size of chunks and pieces and the longest row, not by the input; the output
// either is whole or is not there.
package bulk

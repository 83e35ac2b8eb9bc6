// Package report turns the records of a benchmark into what people read: the
// summary table, JSON and charts per stack, and one self-contained HTML page with
// findings, recommendations and verdicts on the claims people make.
//
// All of it is a pure function of [record.Results]: the same records give the
// same bytes, today and later. The package knows no clock, no network and no
// server. It never ranks a stack whose vectors disagree with the reference, shows
// a cell that failed its checks only with the reason beside it, and says "no
// difference shown" where the statistics do not tell two stacks apart.
//
// Units: times in milliseconds, memory in MB of 1,000,000 bytes, throughput in
// embeddings a second.
package report

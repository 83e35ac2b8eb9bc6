// Package assemble joins what the other packages make apart (a repository's
// files, a tokenizer, a pipeline and an engine) into one model that is ready to
// run. It is the only place that chooses an engine; the server and the
// benchmark know interfaces, and the command line and the library's face come
// here.
package assemble

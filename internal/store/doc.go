// Package store finds models: in a folder of the user's, in this machine's
// Hugging Face cache, at the hub, or in a package that carries the weights. It
// answers with a Repository, a folder in Hugging Face layout whose files are
// complete and were checked against their published hashes when they came in.
//
// What it fetches it writes in the cache's own layout, so that Python programs
// find the files too. Its own notes (the hashes seen, for `models verify`) lie
// in a folder of Paceline's.
//
// It is not aware of what a model is for: it knows which files an encoder
// needs, and neither reads a configuration's meaning nor runs anything.
//
// Invariants: a file appears under its final name only after its hash fits; no
// call waits without end, each ends with its context; with HF_HUB_OFFLINE no
// network is touched and no child process started.
package store

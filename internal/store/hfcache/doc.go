// Package hfcache reads and writes the folder in which Hugging Face's clients
// keep what they downloaded, in their layout, so that all programs of a machine
// share the files:
//
//	models--org--name/blobs/{hash}              contents, by the hub's ETag
//	models--org--name/snapshots/{commit}/{path} links to them, the repository's tree
//	models--org--name/refs/{branch}             the commit a branch was at
//	models--org--name/.no_exist/{commit}/{path} files known not to exist
//	models--org--name/blobs/{hash}.incomplete   a download under way
//	.locks/models--org--name/{hash}.lock        who writes a blob holds its lock (flock)
//
// Invariants: a blob appears under its name only when its content has that hash;
// names, hashes and commits become paths only after they were checked; nothing
// outside a repository's own folder is ever removed.
//
// The package is not aware of the network, nor of what the files mean.
package hfcache

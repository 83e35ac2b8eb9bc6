// Package paceline turns texts into embeddings, in process: pure Go, no Python
// and no cgo, with the vectors that sentence-transformers gives.
//
//	model, err := paceline.Open(ctx, "all-MiniLM-L6-v2")
//	if err != nil { … }
//	defer model.Close()
//	vectors, err := model.Embed(ctx, []string{"first text", "second text"})
//
// [Open] takes the name of a model on the Hugging Face hub, or a folder in its
// layout, and fetches what is not on this machine yet into the cache that Python
// programs use too. [Model.Embed] does what sentence-transformers' encode does:
// prompt, tokens, truncation, encoder, pooling, normalisation, each as the
// repository says. A text's vector does not depend on the texts it is embedded
// with, bit for bit.
//
// [Cosine], [Dot] and [Euclidean] compare two vectors, and [Search] finds those
// of a corpus that are most like a query.
//
// The server, the benchmark and the command line are in cmd/paceline.
package paceline

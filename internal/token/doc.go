// Package token turns text into token ids as a Hugging Face tokenizer.json says, with the ids, type ids and offsets that
// the `tokenizers` library gives.
//
// A text passes through five walls, each an interface (or, for the last but one, data) with one file an implementation:
//
//	added tokens -> normalizer -> splitter (pre-tokenizer) -> model -> template (post-processor); and back through a decoder
//
// It knows text, vocabularies and Unicode; it is not aware of models' weights, limits, prompts, files or servers.
//
// Invariants:
//   - Where Unicode's versions disagree, the tables of the reference implementation win over Go's (see unicode.go).
//   - Every string can be encoded: bytes that are not UTF-8 count as U+FFFD, one each.
//   - A Tokenizer never changes after Parse, and any number of goroutines may use it.
//   - Encoding with a limit reads a little more of the text than the limit keeps, and gives the tokens that encoding
//     the whole and cutting would give.
//   - A word costs no allocation.
package token

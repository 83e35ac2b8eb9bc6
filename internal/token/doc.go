// Package token turns text into token ids as a Hugging Face tokenizer.json says, with the ids, type ids and offsets that
// the `tokenizers` library gives: WordPiece, byte-level BPE, SentencePiece's BPE and Unigram. Read also takes the
// vocab.txt or sentencepiece.bpe.model that some repositories have instead.
//
// A text passes through five walls, each an interface (or, for the last but one, data) with one file an implementation:
//
//	added tokens -> normalizer -> splitter (pre-tokenizer) -> model -> template (post-processor); and back through a decoder
//
// It knows text, vocabularies and Unicode; it is not aware of models' weights, limits, prompts, files or servers.
//
// Regular expressions are the one part that cannot be had whole: the reference's engine has look-around, classes within
// classes and Unicode 16. The splits of GPT-2, Llama 3 and Qwen are functions (see tilePatterns), other expressions
// are let through to Go's engine only if they mean the same to both (see portable), and the rest is refused by name.
// What a file asks for and is not here is an ErrUnsupported; nothing is approximated.
//
// Invariants:
//   - Where Unicode's versions disagree, the tables of the reference implementation win over Go's (see unicode.go).
//   - Every string can be encoded: bytes that are not UTF-8 count as U+FFFD, one each.
//   - A Tokenizer never changes after Parse, and any number of goroutines may use it.
//   - Encoding with a limit reads a little more of the text than the limit keeps, and gives the tokens that encoding
//     the whole and cutting would give.
//   - A word costs no allocation.
package token

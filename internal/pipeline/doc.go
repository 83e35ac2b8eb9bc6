// Package pipeline is a text's way to its vector, around the engine: a prompt
// before it, token ids cut to the model's limit, and afterwards the vector cut
// and scaled. It reads what a sentence-transformers repository says about that:
// modules.json, sentence_bert_config.json, config_sentence_transformers.json and
// tokenizer_config.json.
//
// A Pipeline is immutable and safe for concurrent use. It does not run models,
// form batches or know where files come from. Every decision is one text's own:
// nothing depends on what else travels with it.
package pipeline

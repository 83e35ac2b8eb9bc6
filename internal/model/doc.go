// Package model says what a text encoder is, as data: a Spec holds every choice
// in which the families differ (norms and where they stand, positions, attention
// pattern, feed-forward, biases, pooling, head), and one file a family turns a
// config.json and tensor names into it. It also declares what passes between
// those who make batches and the engines that run them.
//
// It does no arithmetic and knows no engine, tokenizer or server.
package model

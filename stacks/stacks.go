// Package stacks carries the folders of the real serving stacks in the binary, so
// that `paceline stack` finds them wherever it runs. Each folder is complete in
// itself: its README says how to run it by hand. The package interprets nothing;
// internal/stack does.
package stacks

import "embed"

// Files has one folder a stack.
//
//go:embed all:fastapi infinity langchain tei triton vllm
var Files embed.FS

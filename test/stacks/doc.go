// Package stacks runs `paceline stack` as users do, with a small Python stack of
// its own: installing, starting, crashing, ending, and a kill without a word.
// Whatever happens, no process of a stack is left.
//
// The stacks that Paceline carries are installed, measured and killed by
//
//	go test ./test/stacks -v -run Real -timeout 2h -real fastapi,langchain,triton,vllm
package stacks

package batch

import (
	"fmt"
	"time"
)

// FastAPI is the policy of the profile "fastapi".
func FastAPI() Window {
	return Window{Requests: 64, Wait: 50 * time.Millisecond, Queue: 500, RunTexts: 64, Target: 32}
}

// Triton is the policy of the profile "triton". Triton's own queue has no bound
// unless its queue policy says so; ours has the one of TEI.
func Triton() Preferred {
	return Preferred{
		MaxTexts: 128, Sizes: []int{16, 32, 64, 128}, Delay: 50_000 * time.Microsecond,
		Queue: 512, Instances: 2,
	}
}

// TEI is the policy of the profile "tei".
func TEI() Budget { return Budget{Tokens: 16384, Texts: 256, Concurrent: 512} }

// LangChain is the policy of the profile "langchain".
func LangChain() Direct { return Direct{Texts: 32, Queue: 512} }

// VLLM is the policy of the profile "vllm": the token and sequence bounds of
// vLLM's offline engine on a GPU below 70 GB.
func VLLM() Continuous { return Continuous{Tokens: 8192, Texts: 256, Queue: 1024} }

// Own is the policy of a server that plays no stack: vLLM's, with turns.
func Own() Continuous {
	c := VLLM()
	c.Turns = true
	return c
}

// Profile returns the policy of a serving profile with its defaults. The empty
// name is Paceline's own.
func Profile(name string) (Policy, error) {
	switch name {
	case "fastapi":
		return FastAPI(), nil
	case "triton":
		return Triton(), nil
	case "tei":
		return TEI(), nil
	case "langchain":
		return LangChain(), nil
	case "vllm":
		return VLLM(), nil
	case "":
		return Own(), nil
	}
	return nil, fmt.Errorf("batch: no profile is called %q; there are fastapi, triton, tei, langchain and vllm", name)
}

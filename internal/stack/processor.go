package stack

import "golang.org/x/sys/cpu"

// instructions are those that a stack.toml may ask for, by their names in the
// processors' manuals, and whether they may be used here.
var instructions = map[string]bool{"avx2": cpu.X86.HasAVX2, "avx512f": cpu.X86.HasAVX512F}

func examineInstructions(name string, met bool) Finding {
	if met {
		return Finding{What: "a processor with " + name, Met: true, Found: "this one has it"}
	}
	return Finding{
		What: "a processor with " + name, Found: "this one lacks it",
		Remedy: "run it on a machine whose processor has it or that has a GPU (deploy/compose.yaml), and name its address with --target",
	}
}

//go:build (!amd64 && !arm64) || purego

package kernel

// machineRungs: this build has no assembly.
func machineRungs() []rung { return nil }

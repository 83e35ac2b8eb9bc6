//go:build amd64 && !purego

package kernel

// machineRungs lists the levels above Generic that this machine has, lowest first.
func machineRungs() []rung { return nil }

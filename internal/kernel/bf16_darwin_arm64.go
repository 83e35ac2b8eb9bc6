//go:build !purego

package kernel

import "golang.org/x/sys/unix"

// hasBF16 tells whether macOS reports BF16, of which package cpu does not know.
func hasBF16() bool {
	on, err := unix.SysctlUint32("hw.optional.arm.FEAT_BF16")
	return err == nil && on == 1
}

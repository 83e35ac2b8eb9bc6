//go:build !purego

package kernel

import "golang.org/x/sys/unix"

// hasBF16 tells whether Linux reports BF16, of which package cpu does not know
// (Documentation/arch/arm64/elf_hwcaps.rst).
func hasBF16() bool {
	const capabilities, bf16 = 26, 1 << 14 // AT_HWCAP2, HWCAP2_BF16
	vector, err := unix.Auxv()
	if err != nil {
		return false
	}
	for _, entry := range vector {
		if entry[0] == capabilities {
			return entry[1]&bf16 != 0
		}
	}
	return false
}

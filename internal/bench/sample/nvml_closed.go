//go:build !(nvml && linux && (amd64 || arm64))

package sample

import "errors"

// openNVML: a program that opens C libraries at run time must be linked with the
// system's own, and this one stands alone.
func openNVML() (*nvmlLibrary, error) {
	return nil, errors.New("this program was built without the tag nvml")
}

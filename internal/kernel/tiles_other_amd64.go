//go:build !linux && !purego

package kernel

// tilesPermitted is for systems of which it is not known how to ask for AMX's tiles.
func tilesPermitted() bool { return false }

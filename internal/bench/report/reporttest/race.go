//go:build race

package reporttest

import "testing"

// SkipDrawing keeps pictures out of the race detector, which takes half a minute
// over the pixels of one; drawing starts no goroutine.
func SkipDrawing(t *testing.T) {
	t.Skip("drawing is not run under the race detector: it starts no goroutine")
}

//go:build race

package report

import "testing"

// skipDrawing keeps pictures out of the race detector, which takes half a minute
// over the pixels of one; drawing starts no goroutine.
func skipDrawing(t *testing.T) {
	t.Skip("drawing is not run under the race detector: it starts no goroutine")
}

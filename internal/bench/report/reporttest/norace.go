//go:build !race

package reporttest

import "testing"

func SkipDrawing(*testing.T) {}

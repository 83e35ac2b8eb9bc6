//go:build !linux

package load

import (
	"context"
	"time"
)

// Precise returns the most exact sleep that the system has, and what releases it.
func Precise() (sleep func(ctx context.Context, d time.Duration), release func()) {
	return Rest, func() {}
}

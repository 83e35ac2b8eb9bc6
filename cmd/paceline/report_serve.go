package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/paceline/paceline/internal/bench/report/live"
)

// serve shows the run in a browser until it is interrupted, which is how it ends well.
func (c *reportCommand) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", c.Listen, err)
	}
	fmt.Fprintf(os.Stderr, "watching %s at http://%s/ (Ctrl-C ends)\n", c.First, listener.Addr())
	return live.Serve(ctx, c.First, listener)
}

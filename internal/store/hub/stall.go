package hub

import (
	"context"
	"fmt"
	"io"
	"time"
)

// stallReader is a body that fails when no byte comes for a while, instead of
// waiting for a peer that is gone.
type stallReader struct {
	ctx    context.Context
	body   io.ReadCloser
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func newStallReader(ctx context.Context, body io.ReadCloser, limit time.Duration, cancel context.CancelCauseFunc) *stallReader {
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no byte within %v", limit)) })
	return &stallReader{ctx, body, limit, timer, cancel}
}

func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.timer.Reset(s.limit)
	if err != nil && err != io.EOF {
		err = orCause(s.ctx, err)
	}
	return n, err
}

func (s *stallReader) Close() error {
	s.timer.Stop()
	err := s.body.Close()
	s.cancel(nil)
	return err
}

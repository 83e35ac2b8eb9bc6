package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestLineLog(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := slog.New(newLineLog(&out))
	log.Debug("nobody asked")
	log.Info("fetching", "model", "a/b")
	log.With("host", "hub").Warn("it is slow")
	log.With("host", "hub").With("try", 2).WithGroup("g").Error("it is gone", "cause", errors.New("no route"))
	log.Warn("plain")
	want := `fetching (model a/b)
warning: it is slow (host hub)
error: it is gone (host hub, try 2, cause no route)
warning: plain
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// lineLog shows what the packages log as lines for people, as the program's own are:
// "warning: text (key value, key value)". The server has a log of its own.
type lineLog struct {
	mu     *sync.Mutex
	w      io.Writer
	before []slog.Attr
}

func newLineLog(w io.Writer) lineLog { return lineLog{mu: &sync.Mutex{}, w: w} }

// Enabled leaves out what only who looks for a fault wants.
func (l lineLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one line.
func (l lineLog) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	switch {
	case r.Level >= slog.LevelError:
		line = "error: " + line
	case r.Level >= slog.LevelWarn:
		line = "warning: " + line
	}
	var attrs []string
	add := func(a slog.Attr) bool {
		attrs = append(attrs, fmt.Sprintf("%s %v", a.Key, a.Value.Resolve()))
		return true
	}
	for _, a := range l.before {
		add(a)
	}
	if r.Attrs(add); len(attrs) > 0 {
		line += " (" + strings.Join(attrs, ", ") + ")"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintln(l.w, line)
	return err
}

// WithAttrs adds to every line.
func (l lineLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	l.before = append(l.before[:len(l.before):len(l.before)], attrs...)
	return l
}

// WithGroup changes nothing: a line for people has no groups.
func (l lineLog) WithGroup(string) slog.Handler { return l }

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/stack"
)

// TestStackProgressGoesOn: pip unpacks for minutes without a word; what lies on the disk
// by then is told all the same.
func TestStackProgressGoesOn(t *testing.T) {
	t.Parallel()
	d, home := &stack.Definition{Name: "small", Needs: stack.Needs{Disk: 2e9}}, stack.Home{Dir: t.TempDir()}
	unpacked := filepath.Join(home.Dir, "small", "venv", "lib")
	if err := os.MkdirAll(unpacked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(unpacked, "large.so"), make([]byte, 3e6), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := &stackProgress{w: &said, home: home}
		go p.watch(ctx)
		p.begin(d)
		p.line("small", "Installing collected packages: large")
		time.Sleep(time.Minute)
		p.done(stack.Installed)
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
	})
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) < 3 || len(lines) > 6 {
		t.Fatalf("%d lines in a minute:\n%s", len(lines), &said)
	}
	if line := lines[len(lines)-2]; !strings.Contains(line, "small: 3.0 MB of about 2.0 GB: Installing collected packages") {
		t.Errorf("while it unpacks: %q", line)
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "small: installed in ") {
		t.Errorf("at the end, and nothing after it: %q", last)
	}
}

// Package pip downloads Python packages, unpacked by nobody: it asks the pip of
// this machine, as a child process, for one wheel. Which index that comes from
// is the user's business: pip's own configuration and environment hold.
//
// A child ends with its context, together with its own children.
//
// The package is not aware of what the wheels hold.
package pip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrNotFound means that this machine has no pip.
var ErrNotFound = errors.New("no pip found: neither python3 -m pip nor pip runs")

const (
	probeLimit = 10 * time.Second       // for pip to say its version
	pollEvery  = 200 * time.Millisecond // how often the size on disk is looked at
	stallLimit = 3 * time.Minute        // without a byte; pip's own time-outs are shorter unless its user made them longer
)

// candidates are the ways to call pip, the likeliest first.
var candidates = [][]string{{"python3", "-m", "pip"}, {"python", "-m", "pip"}, {"pip3"}, {"pip"}}

// Pip is a way to call pip that works here.
type Pip struct {
	Command []string
	Version string // pip's own words: "pip 23.2.1 from … (python 3.11)"
}

// Find looks for pip on PATH.
func Find(ctx context.Context) (Pip, error) {
	for _, command := range candidates {
		if _, err := exec.LookPath(command[0]); err != nil {
			continue
		}
		version, err := probe(ctx, command)
		if ctx.Err() != nil {
			return Pip{}, context.Cause(ctx)
		}
		if err == nil {
			return Pip{command, version}, nil
		}
	}
	return Pip{}, ErrNotFound
}

func probe(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var out bytes.Buffer
	err := run(ctx, append(command[:len(command):len(command)], "--version"), "", &out, nil)
	return strings.TrimSpace(out.String()), err
}

// Download fetches the wheel of one pinned requirement ("name==version") into
// dir, an empty folder that pip may also use for its temporary files, and returns
// its path. progress is told how many bytes have come so far.
func (p Pip) Download(ctx context.Context, requirement, dir string, progress func(have int64)) (string, error) {
	command := append(p.Command[:len(p.Command):len(p.Command)], "download",
		"--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input",
		"--disable-pip-version-check", "--progress-bar=off", "--dest", dir, requirement)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := watch(dir, progress, func() { cancel(fmt.Errorf("pip download %s: no byte within %v", requirement, stallLimit)) })
	var said tail
	err := run(ctx, command, dir, &said, &said)
	stop()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, said.lastLine())
	}
	return onlyWheel(dir)
}

func onlyWheel(dir string) (string, error) {
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err == nil && len(wheels) != 1 {
		err = fmt.Errorf("pip left %d wheels in %s, want one", len(wheels), dir)
	}
	if err != nil {
		return "", err
	}
	return wheels[0], nil
}

// run calls a command in a process group of its own, which is killed when the
// context ends. dir, when given, is its folder for temporary files.
func run(ctx context.Context, command []string, dir string, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "NO_COLOR=1")
	if dir != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+dir, "TMP="+dir, "TEMP="+dir)
	}
	cmd.WaitDelay = time.Second // a grandchild may hold the pipes open
	ownGroup(cmd)
	return cmd.Run()
}

// watch reports the bytes below a folder until stop is called, and calls stalled
// when their number has not changed for stallLimit.
func watch(dir string, progress func(int64), stalled func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		var have int64
		since := time.Now()
		for {
			select {
			case <-quit:
				progress(sizeOf(dir))
				return
			case <-ticker.C:
			}
			if size := sizeOf(dir); size != have {
				have, since = size, time.Now()
				progress(have)
			} else if time.Since(since) > stallLimit {
				stalled()
			}
		}
	}()
	return func() { close(quit); <-done }
}

func sizeOf(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // pip moves its files about
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// tail keeps the end of what a child wrote.
type tail struct{ text []byte }

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-tailBytes):]
	return len(p), nil
}

// lastLine is the last line that says ERROR, or else the last line: that of pip's
// traceback, whose headline says nothing.
func (t *tail) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "ERROR: ") && strings.TrimSpace(lines[i]) != "ERROR: Exception:" {
			return lines[i]
		}
	}
	return lines[len(lines)-1]
}

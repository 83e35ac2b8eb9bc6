//go:build unix

package stacks

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program under test, and a cache in which the small stack is installed.
var paceline, cache, ownStacks string

// servers are the small stack's ways to run, so that tests can run side by side.
var servers = []string{"small", "small-crash", "small-down", "small-interrupt", "small-kill", "small-again", "small-bench"}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "stacks")
	if err == nil {
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func prepare(dir string) error {
	if _, err := exec.LookPath("python3"); err != nil {
		return nil // each test says so
	}
	paceline, cache, ownStacks = filepath.Join(dir, "paceline"), filepath.Join(dir, "cache"), filepath.Join(dir, "stacks")
	build := exec.Command("go", "build", "-o", paceline, "../../cmd/paceline")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build paceline: %w: %s", err, out)
	}
	if err := writeSmall(filepath.Join(ownStacks, "small")); err != nil {
		return err
	}
	for _, name := range []string{"first", "second"} {
		if err := writeWheel(filepath.Join(ownStacks, "small"), name); err != nil {
			return err
		}
	}
	install := exec.Command(paceline, "stack", "install", "small")
	install.Env = environment(cache, ownStacks)
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("install the small stack: %w: %s", err, out)
	}
	return nil
}

func environment(cache, stacks string) []string {
	return append(os.Environ(), "PACELINE_CACHE="+cache, "PACELINE_STACKS="+stacks, "PIP_NO_INDEX=1", "PIP_NO_CACHE_DIR=1")
}

// writeSmall copies the small stack, without its wheels, and adds its servers.
func writeSmall(dir string) error {
	if err := os.CopyFS(dir, os.DirFS("testdata/small")); err != nil {
		return err
	}
	path := filepath.Join(dir, "stack.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const server = `
[[server]]
name = %q
dialect = "poc"
command = %s
port = 8000
health = "/health"
ready = %q
grace = "300ms"
environment = { MODEL = "{model}", DIMENSION = "32" }
`
	const python, requests = `["{python}", "server.py", "--port", "{port}"]`, `["{python}", "server.py", "--port", "{port}", "--requests", "%d"]`
	for _, name := range servers {
		text = fmt.Appendf(text, server, name, python, "1m")
	}
	text = fmt.Appendf(text, server, "small-lost", fmt.Sprintf(requests, 10), "1m")
	text = fmt.Appendf(text, server, "small-early", fmt.Sprintf(requests, 2), "1m")
	// It is ready never and has its say long before its time is up, on a busy machine
	// too: a shell starts at once.
	const mute = `["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo child $!; echo still loading, port {port}; wait"]`
	text = fmt.Appendf(text, server, "small-mute", mute, "3s")
	return os.WriteFile(path, text, 0o644)
}

// writeWheel packs a package of one line, as an index would carry it.
func writeWheel(dir, name string) error {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	info := name + "-1.0.dist-info/"
	files := []struct{ path, text string }{
		{name + ".py", fmt.Sprintf("NAME = %q\n", name)},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", name + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	}
	for _, f := range files {
		w, err := z.Create(f.path)
		if err != nil {
			return err
		}
		if _, err := w.Write([]byte(f.text)); err != nil {
			return err
		}
	}
	return errors.Join(z.Close(), os.WriteFile(filepath.Join(dir, name+"-1.0-py3-none-any.whl"), packed.Bytes(), 0o644))
}

// run runs paceline to its end.
func run(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), paceline, args...)
	command.Env = env
	var out, talk bytes.Buffer
	command.Stdout, command.Stderr = &out, &talk
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), talk.String(), command.ProcessState.ExitCode()
}

// needPython skips what cannot run without one.
func needPython(t *testing.T) {
	t.Helper()
	if paceline == "" {
		t.Skip("python3 is not on PATH: there is nothing to install a stack with")
	}
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in:\n%s", want, text)
		}
	}
}

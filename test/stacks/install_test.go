//go:build unix

package stacks

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestInstallGoesOn: a step that failed is done again, one that was done is not,
// and when all is done nothing is.
func TestInstallGoesOn(t *testing.T) {
	t.Parallel()
	needPython(t)
	own, cache := filepath.Join(t.TempDir(), "stacks"), t.TempDir()
	small := filepath.Join(own, "small")
	env := environment(cache, own)
	if err := writeSmall(small); err != nil {
		t.Fatal(err)
	}
	if err := writeWheel(small, "first"); err != nil {
		t.Fatal(err)
	}
	_, talk, code := run(t, env, "stack", "install", "small")
	if code != 1 {
		t.Errorf("exit code %d without the second wheel", code)
	}
	contains(t, talk, "requirements-more.txt", "second-1.0-py3-none-any.whl", "install.log")
	_, talk, code = run(t, env, "stack", "up", "small")
	if code != 1 {
		t.Errorf("half a stack was started: exit code %d", code)
	}
	contains(t, talk, "partly installed", "paceline stack install small")

	if err := writeWheel(small, "second"); err != nil {
		t.Fatal(err)
	}
	if _, talk, code := run(t, env, "stack", "install", "small"); code != 0 {
		t.Fatalf("exit code %d: %s", code, talk)
	}
	if _, _, code := run(t, env, "stack", "install", "small"); code != 0 {
		t.Errorf("exit code %d when there is nothing to do", code)
	}
	log, _, code := run(t, env, "stack", "logs", "--install", "small")
	if n := strings.Count(log, "first-1.0-py3-none-any.whl (from -r"); code != 0 || n != 1 {
		t.Errorf("exit code %d, the first step ran %d times:\n%s", code, n, log)
	}
	if n := strings.Count(log, "Successfully installed second-1.0"); n != 1 {
		t.Errorf("the second step succeeded %d times:\n%s", n, log)
	}
	list, _, _ := run(t, env, "stack", "list", "--json")
	contains(t, list, `"state": "installed"`)
}

// TestRefusals: names that do not exist are wrong usage, and what a
// machine lacks is said with the way out.
func TestRefusals(t *testing.T) {
	t.Parallel()
	needPython(t)
	env := environment(t.TempDir(), ownStacks)
	for _, args := range [][]string{{"up", "large"}, {"install", "large"}, {"logs", "large"}, {"doctor", "large"}, {"up", "small", "--binary", "small=x"}} {
		if _, talk, code := run(t, env, append([]string{"stack"}, args...)...); code != 2 {
			t.Errorf("%q: exit code %d: %s", args, code, talk)
		}
	}
	_, talk, code := run(t, env, "stack", "down", "small")
	if code != 1 {
		t.Errorf("exit code %d for ending what does not run", code)
	}
	contains(t, talk, "small: it is not running")
	out, _, code := run(t, env, "stack", "doctor", "tei")
	if code != 0 {
		t.Errorf("exit code %d: what is missing is a finding, not a failure", code)
	}
	contains(t, out, "text-embeddings-router", "--binary tei=PATH")
}

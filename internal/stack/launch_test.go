package stack

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// definition reads the whole definition from files in memory.
func definition(t *testing.T) *Definition {
	t.Helper()
	d, err := Read(fstest.MapFS{
		"small/stack.toml":       {Data: []byte(whole)},
		"small/requirements.txt": {Data: []byte("torch==1.0\n")},
		"small/app/main.py":      {Data: []byte("pass\n")},
	}, "small")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pretend notes an installation as done.
func pretend(t *testing.T, h Home, d *Definition) {
	t.Helper()
	wanted, err := h.wanted(d, false)
	if err != nil {
		t.Fatal(err)
	}
	note := installed{Python: "3.11.7"}
	for _, step := range wanted {
		note.Steps = append(note.Steps, step.fingerprint)
	}
	if err := errors.Join(os.MkdirAll(h.folder(d), 0o755), h.write(d, note)); err != nil {
		t.Fatal(err)
	}
}

func TestLaunch(t *testing.T) {
	t.Parallel()
	h, d := Home{t.TempDir()}, definition(t)
	pretend(t, h, d)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := h.Launch(d, &d.Servers[0], Options{Model: "/models/a", ModelName: "org/a", Threads: 3, Program: program, LogFile: "log"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(h.Dir, "small", "venv", "bin", "python"), program, "--port", "{port}", "--grpc", "{port.grpc}", "/models/a"}
	if !slices.Equal(spec.Command, want) {
		t.Errorf("command %q, want %q", spec.Command, want)
	}
	for _, entry := range []string{"THREADS=3", "OMP_NUM_THREADS=3", "HF_HUB_OFFLINE=1"} {
		if !slices.Contains(spec.Env, entry) {
			t.Errorf("%s is not in the environment %q", entry, spec.Env)
		}
	}
	if spec.Port != 8000 || spec.Ports["{port.grpc}"] != 8001 {
		t.Errorf("ports %d and %v", spec.Port, spec.Ports)
	}
	if _, err := os.Stat(filepath.Join(spec.Dir, "app", "main.py")); err != nil {
		t.Errorf("the stack's files: %v", err)
	}
	if name := d.Servers[1].ServedModel(Options{ModelName: "org/a"}); name != "org/a" {
		t.Errorf("served as %q", name)
	}
}

func TestLaunchRefuses(t *testing.T) {
	t.Parallel()
	h, d := Home{t.TempDir()}, definition(t)
	_, err := h.Launch(d, &d.Servers[0], Options{})
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "paceline stack install small") {
		t.Errorf("%v: want how to install it", err)
	}
	pretend(t, h, d)
	_, err = h.Launch(d, &d.Servers[0], Options{Program: filepath.Join(t.TempDir(), "router")})
	if err == nil || !strings.Contains(err.Error(), "build it") {
		t.Errorf("%v: want what gets the program", err)
	}
}

// TestDescribe: a result file names the versions that are there, not those asked for.
func TestDescribe(t *testing.T) {
	t.Parallel()
	h, d := Home{t.TempDir()}, definition(t)
	packages := filepath.Join(h.environment(d), "lib", "python3.11", "site-packages")
	for _, folder := range []string{"torch-1.0+cpu.dist-info", "other-2.dist-info", "torch"} {
		if err := os.MkdirAll(filepath.Join(packages, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	pretend(t, h, d)
	spec, err := h.Launch(d, &d.Servers[1], Options{Threads: 2, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	info := h.Describe(d, spec)
	if info["packages"] != "torch==1.0+cpu" || !strings.Contains(info["environment"], "OMP_NUM_THREADS=2") {
		t.Errorf("%v", info)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	h, d := Home{t.TempDir()}, definition(t)
	state := func(gpu bool, want State) {
		t.Helper()
		if got, err := h.State(d, gpu); err != nil || got != want {
			t.Errorf("%s, %v: want %s", got, err, want)
		}
	}
	state(false, Absent)
	pretend(t, h, d)
	state(false, Installed)
	d.Files = fstest.MapFS{"requirements.txt": {Data: []byte("torch==2.0\n")}}
	state(false, Partly)
	if err := os.WriteFile(h.notePath(d), []byte(`{"python": "3.1`), 0o600); err != nil {
		t.Fatal(err)
	}
	state(false, Absent)
	d.Install = nil
	state(false, NoInstall)
}

func TestExamine(t *testing.T) {
	t.Parallel()
	h, d := Home{filepath.Join(t.TempDir(), "not", "there")}, definition(t)
	d.Needs.Tools, d.Needs.Instructions = []string{"no-such-tool"}, nil // which instructions there are is not this test's choice
	d.Needs.Systems, d.Needs.Python, d.Needs.Memory = []string{"plan9/mips"}, &Range{"9.1", "9.2"}, 1<<60
	findings, err := h.Examine(t.Context(), d, false, "")
	if err != nil || len(findings) != 6 {
		t.Fatalf("%v, %v", findings, err)
	}
	for _, f := range findings {
		if wantMet := strings.HasSuffix(f.What, "of disk"); f.Met != wantMet || f.Found == "" || (f.Remedy == "") != f.Met {
			t.Errorf("%+v", f)
		}
	}
	d.Needs = Needs{Systems: nil, Memory: 1, Program: &Program{Name: "router", Get: "build it"}}
	findings, err = h.Examine(t.Context(), d, false, os.Args[0])
	if err != nil || len(findings) != 2 || !findings[0].Met || !findings[1].Met {
		t.Errorf("%+v, %v", findings, err)
	}
}

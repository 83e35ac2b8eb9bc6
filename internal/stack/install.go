package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/paceline/paceline/internal/process"
)

// Installer installs stacks below a Home.
type Installer struct {
	Home   Home
	GPU    bool                            // the machine has one that Python packages can use
	Tell   func(stack string, text string) // is told what is being done, line by line
	Keeper *process.Keeper                 // ends what an installation runs, should this process die
}

// ErrInstalling says that another process installs the stack right now.
var ErrInstalling = errors.New("another process is installing it")

// Install brings a stack's environment to what its definition says. Steps that
// were done stay done; one that was interrupted is run again, and takes what it
// had downloaded from pip's cache.
func (in Installer) Install(ctx context.Context, d *Definition) error {
	if err := os.MkdirAll(in.Home.Cache(d), 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(in.Home.folder(d), "install.lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("install %s: %w", d.Name, err)
	}
	if !held {
		return fmt.Errorf("install %s: %w", d.Name, ErrInstalling)
	}
	defer lock.Unlock()
	if err := in.Home.unpack(d); err != nil {
		return fmt.Errorf("install %s: %w", d.Name, err)
	}
	if d.Needs.Python == nil {
		return nil
	}
	note, err := in.prepare(ctx, d)
	if err != nil {
		return fmt.Errorf("install %s: %w", d.Name, err)
	}
	return in.steps(ctx, d, note)
}

// prepare makes the environment, or keeps the one that is there and runs.
func (in Installer) prepare(ctx context.Context, d *Definition) (installed, error) {
	note, err := in.Home.note(d)
	if err != nil {
		return note, err
	}
	if version, err := pythonVersion(ctx, in.Home.python(d)); err == nil && version == note.Python && d.Needs.Python.holds(version) {
		return note, nil
	}
	python, err := d.Needs.Python.find(ctx)
	if err != nil {
		return note, err
	}
	in.tell(d, "making an environment with Python "+python.version)
	err = in.run(ctx, d, "make an environment", python.path, "-m", "venv", "--clear", in.Home.environment(d))
	if err != nil {
		return note, err
	}
	note = installed{Python: python.version}
	return note, in.Home.write(d, note)
}

func (in Installer) steps(ctx context.Context, d *Definition, note installed) error {
	wanted, err := in.Home.wanted(d, in.GPU)
	if err != nil {
		return err
	}
	for i, step := range wanted {
		if i < len(note.Steps) && note.Steps[i] == step.fingerprint {
			continue
		}
		note.Steps = note.Steps[:min(i, len(note.Steps))] // what follows may depend on what changed
		if err := in.pip(ctx, d, step.Step); err != nil {
			return fmt.Errorf("install %s: %w", d.Name, err)
		}
		note.Steps = append(note.Steps, step.fingerprint)
		if err := in.Home.write(d, note); err != nil {
			return err
		}
	}
	return nil
}

func (in Installer) pip(ctx context.Context, d *Definition, s Step) error {
	in.tell(d, "installing "+s.Requirements)
	command := []string{in.Home.python(d), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-r", s.Requirements}
	return in.run(ctx, d, s.Requirements, append(command, s.Options...)...)
}

func (in Installer) run(ctx context.Context, d *Definition, name string, command ...string) error {
	return process.Run(ctx, process.Task{
		Name: name, Command: command, Dir: in.Home.files(d), LogFile: in.Home.InstallLog(d), Keeper: in.Keeper,
		Line: func(line string) { in.tell(d, line) },
	})
}

func (in Installer) tell(d *Definition, text string) {
	if in.Tell != nil && text != "" {
		in.Tell(d.Name, text)
	}
}

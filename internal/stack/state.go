package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// State says how far a stack is installed.
type State string

// The states of an installation.
const (
	Installed State = "installed"
	Partly    State = "partly installed" // an installation was ended, or its list of packages changed since
	Absent    State = "not installed"
	NoInstall State = "nothing to install" // users bring the program
)

// State reads it from the notes; it runs nothing.
func (h Home) State(d *Definition, gpu bool) (State, error) {
	if len(d.Install) == 0 {
		return NoInstall, nil
	}
	note, err := h.note(d)
	if err != nil {
		return "", err
	}
	wanted, err := h.wanted(d, gpu)
	if err != nil {
		return "", err
	}
	if note.Python == "" {
		return Absent, nil
	}
	if len(note.Steps) < len(wanted) {
		return Partly, nil
	}
	for i, step := range wanted {
		if note.Steps[i] != step.fingerprint {
			return Partly, nil
		}
	}
	return Installed, nil
}

// installed is the note of what was done; it lies beside the environment.
type installed struct {
	Python string   `json:"python"`
	Steps  []string `json:"steps"` // fingerprints, in their order
}

// wantedStep is a step with what it depends on.
type wantedStep struct {
	Step
	fingerprint string
}

// wanted lists the steps for a machine with or without a GPU.
func (h Home) wanted(d *Definition, gpu bool) (list []wantedStep, err error) {
	for _, s := range d.Install {
		if (s.Device == "gpu" && !gpu) || (s.Device == "cpu" && gpu) {
			continue
		}
		text, err := fs.ReadFile(d.Files, s.Requirements)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(s.Requirements + "\x00" + strings.Join(s.Options, "\x00") + "\x00" + string(text)))
		list = append(list, wantedStep{s, hex.EncodeToString(sum[:8])})
	}
	return list, nil
}

func (h Home) notePath(d *Definition) string { return filepath.Join(h.folder(d), "installed.json") }

// note reads what was done; nothing was where there is no note.
func (h Home) note(d *Definition) (note installed, err error) {
	text, err := os.ReadFile(h.notePath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return installed{}, nil
	}
	if err != nil {
		return installed{}, err
	}
	if err := json.Unmarshal(text, &note); err != nil {
		return installed{}, nil // half of it is as good as none: everything is done again
	}
	return note, nil
}

func (h Home) write(d *Definition, note installed) error {
	text, err := json.Marshal(note)
	if err != nil {
		return err
	}
	return writeChanged(h.notePath(d), append(text, '\n'))
}

package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrOffline marks a model that is not here while HF_HUB_OFFLINE forbids fetching it.
var ErrOffline = errors.New("HF_HUB_OFFLINE is set")

// ErrNotCached marks a model that is not on this machine, where nothing is fetched.
var ErrNotCached = errors.New("not on this machine")

// MissingError says which files of a model are missing and where they were
// looked for. It wraps the reason why they were not fetched.
type MissingError struct {
	Model  string
	Places []Place
	Reason error
}

// Place is a folder that was looked at, and what it lacks.
type Place struct {
	Dir     string
	Note    string // such as "no revision main"; empty when the folder is there
	Missing []string
}

func (e *MissingError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model %s: %v; missing:", e.Model, e.Reason)
	for _, p := range e.Places {
		fmt.Fprintf(&b, "\n  in %s", p.Dir)
		if p.Note != "" {
			fmt.Fprintf(&b, " (%s)", p.Note)
		}
		fmt.Fprintf(&b, ": %s", strings.Join(p.Missing, ", "))
	}
	for _, p := range e.Places {
		if len(p.Missing) == 1 && p.Missing[0] == "modules.json" {
			fmt.Fprintf(&b, "\nNothing says that the repository has no modules.json. If it has none, give the folder as the model: %s", p.Dir)
		}
	}
	return b.String()
}

func (e *MissingError) Unwrap() error { return e.Reason }

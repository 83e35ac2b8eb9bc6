package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// fact is a line of the manifest that a reader looks for.
type fact struct{ Name, Value string }

func facts(r *record.Results) []fact {
	m := r.Manifest
	known := []fact{
		{"Model", format.ModelLine(m.Model)},
		{"Texts", format.DataLine(m.Data)},
		{"Machine", format.MachineLine(m.Machine)},
		{"System", strings.TrimSpace(m.Machine.OS + " " + m.Machine.Kernel)},
		{"Frequency governor", cmp.Or(m.Machine.Governor, "not known")},
		{"Paceline", strings.TrimSpace(m.Version + " " + m.Commit)},
		{"Started", m.Started.UTC().Format(time.RFC3339)},
		{"Took", m.Finished.Sub(m.Started).Round(time.Second).String()},
		{"Seed", fmt.Sprint(m.Seed)},
	}
	return slices.DeleteFunc(known, func(f fact) bool { return f.Value == "" })
}

// shellLine quotes a command so that a shell reads it back as it was.
func shellLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsFunc(a, special) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func special(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=/.,:@%+", r)
	return !plain
}

// checks counts the slices by whether they passed their checks.
type checks struct {
	Failed, Cells int
	toCome        bool // nothing was checked yet
}

// newChecks takes the marks of the slices. A stress test's are of all its requests and
// stand in its result, beside the command: one under way, or killed, has neither.
func newChecks(r *record.Results, stress bool) checks {
	c := checks{Cells: len(r.Cells), toCome: stress && len(r.Manifest.Command) == 0}
	for i := range r.Cells {
		if r.Cells[i].Invalid != "" {
			c.Failed++
		}
	}
	return c
}

// String says it in a line.
func (c checks) String() string {
	switch {
	case c.Cells == 0:
		return "Nothing was measured."
	case c.toCome:
		return fmt.Sprintf("The %s not been checked: a stress test's checks are of all its requests, when it ends.", english.Plural(c.Cells, "window has", "windows have"))
	case c.Failed == 0:
		return fmt.Sprintf("%s passed all checks.", english.Plural(c.Cells, "timed slice", ""))
	}
	return fmt.Sprintf("%d of %s failed checks: left out, or marked where there is no other.", c.Failed, english.Plural(c.Cells, "timed slice", ""))
}

package stack

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/pelletier/go-toml/v2"
)

// DefinitionFile is what makes a folder a stack.
const DefinitionFile = "stack.toml"

// Definition is one stack as its stack.toml describes it.
type Definition struct {
	Name    string   `toml:"-"` // the folder's
	Files   fs.FS    `toml:"-"` // the folder
	Title   string   `toml:"title"`
	Needs   Needs    `toml:"needs"`
	Install []Step   `toml:"install"` // in their order
	Servers []Server `toml:"server"`  // at least one
}

// Needs are what a machine must have for the stack to be installed and to run.
type Needs struct {
	Systems []string `toml:"systems"` // GOOS/GOARCH; none: any
	Python  *Range   `toml:"python"`  // nil: no Python
	Memory  Bytes    `toml:"memory"`
	Disk    Bytes    `toml:"disk"`  // for what is installed
	Tools   []string `toml:"tools"` // that every system's package manager has, by their names on PATH

	// What the processor must have where no GPU computes: names of instructions.
	Instructions []string `toml:"instructions"`
	Program      *Program `toml:"program"`
}

// Range is a range of Python versions, such as from 3.10 and below 3.15.
type Range struct {
	From  string `toml:"from"`
	Below string `toml:"below"`
}

// Program is something that no package index carries, so that users bring it.
type Program struct {
	Name string `toml:"name"` // as it is found on PATH
	Get  string `toml:"get"`  // what provides it, as a sentence
}

// Step installs one list of Python packages.
type Step struct {
	Requirements string   `toml:"requirements"` // a file of the stack's folder
	Options      []string `toml:"options"`      // further options for pip install
	Device       string   `toml:"device"`       // cpu or gpu: only on machines like that; empty: always
}

// Server is one way to run a stack. Command and Environment may hold the marks
// {python}, {program}, {files}, {cache}, {model}, {model_name}, {threads},
// {port} and {port.NAME} for the entries of Ports.
type Server struct {
	Name        string            `toml:"name"` // as --stack takes it; the first has its stack's name
	Title       string            `toml:"title"`
	Dialect     string            `toml:"dialect"` // of internal/bench/driver
	Model       string            `toml:"model"`   // the name that its API asks for; may hold marks
	Policy      string            `toml:"policy"`  // how it forms batches, for reports
	Command     []string          `toml:"command"`
	Environment map[string]string `toml:"environment"`
	Port        int               `toml:"port"`
	Ports       map[string]int    `toml:"ports"`  // further ones
	Health      string            `toml:"health"` // path that answers 200 once it is ready
	Ready       Duration          `toml:"ready"`  // limit for becoming so
	Grace       Duration          `toml:"grace"`  // between asking it to end and ending it
}

// Bytes is a size, written as "2 GB" or "1.5 GiB".
type Bytes uint64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil {
		return fmt.Errorf("%q is no size: want one such as \"2 GB\"", text)
	}
	*b = Bytes(n)
	return nil
}

// Duration is a time, written as "90s" or "3m".
type Duration time.Duration

// UnmarshalText reads a positive duration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed <= 0 {
		return fmt.Errorf("%q is no duration: want one such as \"90s\"", text)
	}
	*d = Duration(parsed)
	return nil
}

// ReadAll reads the definition of every folder of fsys that has one, by name.
func ReadAll(fsys fs.FS) ([]*Definition, error) {
	entries, err := fs.Glob(fsys, "*/"+DefinitionFile)
	if err != nil {
		return nil, err
	}
	var list []*Definition
	for _, entry := range entries {
		d, err := Read(fsys, path.Dir(entry))
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// Read reads the definition of one folder of fsys.
func Read(fsys fs.FS, name string) (*Definition, error) {
	files, err := fs.Sub(fsys, name)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, DefinitionFile)
	if err != nil {
		return nil, err
	}
	d, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	d.Files = files
	for _, step := range d.Install {
		if _, err := fs.Stat(files, step.Requirements); err != nil {
			return nil, fmt.Errorf("%s/%s: requirements: %w", name, DefinitionFile, err)
		}
	}
	return d, nil
}

// Parse reads the text of a stack.toml. An error names the file and the line;
// a key that is not known is one.
func Parse(name string, text []byte) (*Definition, error) {
	d := &Definition{Name: name}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(d); err != nil {
		return nil, fmt.Errorf("%s/%s%w", name, DefinitionFile, positioned(err))
	}
	d.complete()
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", name, DefinitionFile, err)
	}
	return d, nil
}

// positioned puts the line in front of a TOML error: ":12: …".
func positioned(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		row, _ := first.Position()
		return fmt.Errorf(":%d: unknown key %q", row, strings.Join(first.Key(), "."))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, _ := wrong.Position()
		return fmt.Errorf(":%d: %w", row, err)
	}
	return fmt.Errorf(": %w", err)
}

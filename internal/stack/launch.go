package stack

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/process"
)

// Options are what a server is started with.
type Options struct {
	Model     string // its folder
	ModelName string // for replies
	Threads   int    // for every library that computes
	GPU       bool
	Program   string // the user's own path of the program that the stack needs; empty: on PATH
	LogFile   string
}

// ErrNotInstalled says that a server cannot be started yet.
var ErrNotInstalled = errors.New("it is not installed")

// Find gives the server of that name and its stack. Without one, the error lists
// the names there are.
func Find(stacks []*Definition, name string) (*Definition, *Server, error) {
	var names []string
	for _, d := range stacks {
		for i := range d.Servers {
			if d.Servers[i].Name == name {
				return d, &d.Servers[i], nil
			}
			names = append(names, d.Servers[i].Name)
		}
	}
	return nil, nil, fmt.Errorf("no stack is called %q: there are %s", name, strings.Join(names, ", "))
}

// Launch says how a server is started with these options. It writes the stack's
// files, but starts nothing.
func (h Home) Launch(d *Definition, s *Server, o Options) (*process.Spec, error) {
	state, err := h.State(d, o.GPU)
	if err != nil {
		return nil, err
	}
	if state != Installed && state != NoInstall {
		return nil, fmt.Errorf("%s: %w (%s): run `paceline stack install %s`", s.Name, ErrNotInstalled, state, d.Name)
	}
	values, err := h.values(d, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	if err := h.unpack(d); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	spec := &process.Spec{
		Name: s.Name, Command: fillAll(s.Command, values), Env: append(threadLimits(o.Threads), fillEnvironment(s.Environment, values)...),
		Dir: h.files(d), Port: s.Port, Ports: map[string]int{}, LogFile: o.LogFile,
		Health: s.Health, Limit: time.Duration(s.Ready), Grace: time.Duration(s.Grace),
	}
	for name, port := range s.Ports {
		spec.Ports["{port."+name+"}"] = port
	}
	return spec, nil
}

// values are what the marks stand for, those of the ports excepted.
func (h Home) values(d *Definition, o Options) (map[string]string, error) {
	model, err := filepath.Abs(o.Model)
	if err != nil {
		return nil, err
	}
	values := map[string]string{
		"files": h.files(d), "cache": h.Cache(d), "model": model, "model_name": o.ModelName, "threads": strconv.Itoa(o.Threads),
	}
	if d.Needs.Python != nil {
		values["python"] = h.python(d)
	}
	if program := d.Needs.Program; program != nil {
		path, err := program.find(o.Program)
		if err != nil {
			return nil, fmt.Errorf("%w; %s", err, program.Get)
		}
		values["program"] = path
	}
	return values, nil
}

// ServedModel is the name that the server's API asks for; empty: none.
func (s *Server) ServedModel(o Options) string {
	return fill(s.Model, map[string]string{"model": o.Model, "model_name": o.ModelName})
}

// threadLimits hold for whatever library a stack computes with; the model is in
// a folder, so nothing has a reason to ask the network.
func threadLimits(threads int) []string {
	n := strconv.Itoa(threads)
	return []string{
		"OMP_NUM_THREADS=" + n, "MKL_NUM_THREADS=" + n, "OPENBLAS_NUM_THREADS=" + n, "RAYON_NUM_THREADS=" + n,
		"HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1", "PYTHONUNBUFFERED=1",
	}
}

// Describe is what a result file says of a server besides its command: the
// environment it was given and the versions it was installed with.
func (h Home) Describe(d *Definition, spec *process.Spec) map[string]string {
	info := map[string]string{"environment": strings.Join(spec.Env, " ")}
	versions := h.versions(d)
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		info["packages"] += name + "==" + versions[name] + " "
	}
	info["packages"] = strings.TrimSpace(info["packages"])
	return info
}

// versions reads from the environment which version of each package that the
// stack asks for is there.
func (h Home) versions(d *Definition) map[string]string {
	found := map[string]string{}
	folders, err := filepath.Glob(filepath.Join(h.environment(d), "lib*", "python*", "site-packages", "*.dist-info"))
	if err != nil {
		return nil // the pattern is ours; this home's name has a bracket in it
	}
	asked := d.asked()
	for _, folder := range folders {
		name, version, ok := strings.Cut(strings.TrimSuffix(filepath.Base(folder), ".dist-info"), "-")
		if name = normal(name); ok && slices.Contains(asked, name) {
			found[name] = version
		}
	}
	return found
}

package stack

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What a stack.toml may leave out.
const (
	usualReady = Duration(2 * time.Minute)
	usualGrace = Duration(10 * time.Second)
)

func (d *Definition) complete() {
	for i := range d.Servers {
		s := &d.Servers[i]
		s.Title = cmp.Or(s.Title, d.Title)
		s.Ready = cmp.Or(s.Ready, usualReady)
		s.Grace = cmp.Or(s.Grace, usualGrace)
	}
}

var (
	validName    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	validVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
	validSystem  = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
)

// check finds what a decoder cannot: the first mistake ends it.
func (d *Definition) check() error {
	if !validName.MatchString(d.Name) {
		return fmt.Errorf("the folder's name %q: want letters a-z, digits and single dashes", d.Name)
	}
	if d.Title == "" {
		return errors.New("title is missing")
	}
	if len(d.Servers) == 0 {
		return errors.New("a [[server]] is missing")
	}
	if err := d.Needs.check(); err != nil {
		return fmt.Errorf("needs: %w", err)
	}
	for _, step := range d.Install {
		if err := d.checkStep(step); err != nil {
			return fmt.Errorf("install: %w", err)
		}
	}
	for i := range d.Servers {
		if err := d.checkServer(i); err != nil {
			return fmt.Errorf("server %q: %w", d.Servers[i].Name, err)
		}
	}
	return nil
}

func (n *Needs) check() error {
	for _, system := range n.Systems {
		if !validSystem.MatchString(system) {
			return fmt.Errorf("systems: %q: want one such as linux/amd64", system)
		}
	}
	for _, name := range n.Instructions {
		if _, known := instructions[name]; !known {
			return fmt.Errorf("instructions: unknown name %q: one of %s", name, strings.Join(slices.Sorted(maps.Keys(instructions)), ", "))
		}
	}
	if n.Python != nil && !(validVersion.MatchString(n.Python.From) && validVersion.MatchString(n.Python.Below)) {
		return fmt.Errorf("python: from %q below %q: want versions such as 3.10", n.Python.From, n.Python.Below)
	}
	if n.Program != nil && (n.Program.Name == "" || n.Program.Get == "") {
		return errors.New("program: want a name and what gets it")
	}
	return nil
}

func (d *Definition) checkStep(s Step) error {
	if !fs.ValidPath(s.Requirements) || s.Requirements == "." {
		return fmt.Errorf("requirements %q: want a file of the stack's folder", s.Requirements)
	}
	if !slices.Contains([]string{"", "cpu", "gpu"}, s.Device) {
		return fmt.Errorf("device %q: want cpu or gpu", s.Device)
	}
	if d.Needs.Python == nil {
		return errors.New("packages are to be installed, but needs.python is missing")
	}
	return nil
}

func (d *Definition) checkServer(i int) error {
	s := &d.Servers[i]
	switch {
	case !validName.MatchString(s.Name):
		return errors.New("name: want letters a-z, digits and single dashes")
	case i == 0 && s.Name != d.Name:
		return fmt.Errorf("the first server has its stack's name, %s", d.Name)
	case i > 0 && !strings.HasPrefix(s.Name, d.Name+"-"):
		return fmt.Errorf("name: want %s-SOMETHING", d.Name)
	case slices.ContainsFunc(d.Servers[:i], func(o Server) bool { return o.Name == s.Name }):
		return errors.New("the name is there twice")
	case s.Dialect == "":
		return errors.New("dialect is missing")
	case len(s.Command) == 0:
		return errors.New("command is missing")
	case !strings.HasPrefix(s.Health, "/"):
		return fmt.Errorf("health %q: want a path", s.Health)
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("port %d: want one from 1 to 65535", s.Port)
	}
	return d.checkMarks(s)
}

// checkMarks demands that every {mark} of a server can be filled.
func (d *Definition) checkMarks(s *Server) error {
	known := []string{"files", "cache", "model", "model_name", "threads", "port"}
	if d.Needs.Python != nil {
		known = append(known, "python")
	}
	if d.Needs.Program != nil {
		known = append(known, "program")
	}
	for name, port := range s.Ports {
		if port < 1 || port > 65535 {
			return fmt.Errorf("ports: %s = %d: want one from 1 to 65535", name, port)
		}
		known = append(known, "port."+name)
	}
	texts := append([]string{s.Model}, s.Command...)
	for _, value := range s.Environment {
		texts = append(texts, value)
	}
	for _, text := range texts {
		for _, mark := range marks.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, mark[1]) {
				return fmt.Errorf("%q: unknown mark {%s}: one of %s", text, mark[1], strings.Join(known, ", "))
			}
		}
	}
	if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "{port}") }) {
		return errors.New("neither command nor environment holds {port}")
	}
	return nil
}

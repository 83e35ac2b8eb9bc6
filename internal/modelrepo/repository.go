package modelrepo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// Model is one model of a repository, as its files have it.
type Model struct {
	Name     string
	Config   *pb.ModelConfig // with defaults filled in
	Versions []int64         // that the version policy serves, ascending; not empty
	Warnings []Diagnostic
}

// VersionDir is the folder of a version, within the repository.
func (m *Model) VersionDir(version int64) string {
	return path.Join(m.Name, strconv.FormatInt(version, 10))
}

// ErrNoModel says that a repository has no model of a name.
var ErrNoModel = errors.New("failed to poll from model repository")

// Folder is a repository that lies in a file system.
type Folder struct{ fs.FS }

// List names the models of a repository: its folders, sorted.
func (f Folder) List() ([]string, error) {
	entries, err := fs.ReadDir(f, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if isDir(f, e) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// isDir follows links, by which folders of weights are often put in place.
func isDir(fsys fs.FS, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := fs.Stat(fsys, e.Name())
	return err == nil && info.IsDir()
}

// maxConfig is far beyond any config.pbtxt.
const maxConfig = 1 << 20

// Read reads one model. Errors of its config.pbtxt are Diagnostics.
func (f Folder) Read(name string) (*Model, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, `/\`) || name == "." {
		return nil, fmt.Errorf("%w: %q cannot be the name of a model", ErrNoModel, name)
	}
	if info, err := fs.Stat(f, name); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: there is no folder %q", ErrNoModel, name)
	}
	file := path.Join(name, ConfigFile)
	if info, err := fs.Stat(f, file); err == nil && info.Size() > maxConfig {
		return nil, fmt.Errorf("%s has %d bytes; the limit is %d", file, info.Size(), maxConfig)
	}
	text, err := fs.ReadFile(f, file)
	if err != nil {
		return nil, fmt.Errorf("%w: model %q: %w", ErrNoModel, name, err)
	}
	config, warnings, err := ParseConfig(file, text)
	if err != nil {
		return nil, err
	}
	return f.assemble(name, file, config, warnings)
}

// ReadWith reads one model with another config in place of its file, as clients
// may send it with a load.
func (f Folder) ReadWith(name string, config *pb.ModelConfig) (*Model, error) {
	return f.assemble(name, name+" (config of the request)", config, nil)
}

func (f Folder) assemble(name, file string, config *pb.ModelConfig, warnings []Diagnostic) (*Model, error) {
	m, err := newModel(name, file, config, warnings)
	if err != nil {
		return nil, err
	}
	versions, err := f.versions(name)
	if err != nil {
		return nil, err
	}
	broken, err := f.brokenIn(name)
	if err != nil {
		return nil, err
	}
	m.Warnings = append(m.Warnings, broken...)
	m.Versions = Select(config.VersionPolicy, versions)
	if len(m.Versions) == 0 {
		return nil, noVersion(name, file, broken)
	}
	return m, nil
}

// noVersion names the links that may have been one.
func noVersion(name, file string, broken []Diagnostic) error {
	message := fmt.Sprintf("at least one version must be available under the version policy of model '%s': put it into %s/1", name, name)
	for _, link := range broken {
		message += "; " + link.Error()
	}
	return Diagnostic{File: file, Message: message}
}

// newModel checks a config and completes it.
func newModel(name, file string, config *pb.ModelConfig, warnings []Diagnostic) (*Model, error) {
	if config.Name == "" {
		config.Name = name
	}
	more, err := check(config, name)
	for _, w := range more {
		warnings = append(warnings, Diagnostic{File: file, Message: w})
	}
	if err != nil {
		return nil, Diagnostic{File: file, Message: err.Error()}
	}
	setDefaults(config)
	return &Model{Name: name, Config: config, Warnings: warnings}, nil
}

// versions are the numbered folders of a model, ascending.
func (f Folder) versions(name string) ([]int64, error) {
	folder, err := fs.Sub(f, name)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var list []int64
	for _, e := range entries {
		n, err := strconv.ParseInt(e.Name(), 10, 64)
		if err == nil && n > 0 && strconv.FormatInt(n, 10) == e.Name() && isDir(folder, e) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// Select applies a version policy; none is the latest version alone.
func Select(p *pb.ModelVersionPolicy, versions []int64) []int64 {
	switch p := p.GetPolicyChoice().(type) {
	case *pb.ModelVersionPolicy_All_:
		return versions
	case *pb.ModelVersionPolicy_Specific_:
		return slices.DeleteFunc(slices.Clone(versions), func(v int64) bool { return !slices.Contains(p.Specific.Versions, v) })
	case *pb.ModelVersionPolicy_Latest_:
		n := int(cmp.Or(p.Latest.GetNumVersions(), 1))
		return versions[max(0, len(versions)-n):]
	}
	return versions[max(0, len(versions)-1):]
}

// Modified is when anything in a model's folder, or in a folder that is linked
// into it, last changed. Links that lead nowhere move it by the least there is: once
// they are mended it is another time, however old what they lead to.
func (f Folder) Modified(name string) (time.Time, error) {
	var latest time.Time
	broken := time.Duration(0)
	err := fs.WalkDir(f, name, func(at string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := fs.Stat(f, at)
		if err != nil && e.Type()&fs.ModeSymlink != 0 {
			broken++
			info, err = e.Info()
		}
		if err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
		return err
	})
	return latest.Add(broken), err
}

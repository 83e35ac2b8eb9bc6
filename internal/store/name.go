package store

import (
	"fmt"
	"path"
	"strings"

	"github.com/paceline/paceline/internal/store/hub"
)

const (
	defaultOrg      = "sentence-transformers" // of a bare name, as in sentence-transformers itself
	defaultRevision = "main"
)

// Reference is a model's name, taken apart.
type Reference struct {
	Name     string // org/name
	Revision string // branch, tag or commit
}

func (r Reference) String() string {
	if r.Revision == defaultRevision {
		return r.Name
	}
	return r.Name + "@" + r.Revision
}

// ParseName reads "name", "org/name" or either with "@revision". A bare name is a
// known model's, or else one of sentence-transformers'.
func ParseName(name string) (Reference, error) {
	repo, revision, given := strings.Cut(name, "@")
	if !given {
		revision = defaultRevision
	}
	if !hub.ValidName(repo) {
		return Reference{}, fmt.Errorf("model %q: neither a folder nor a name such as all-MiniLM-L6-v2 or BAAI/bge-small-en-v1.5", name)
	}
	if revision == "" || path.Clean("/"+revision) != "/"+revision || strings.ContainsAny(revision, "\\ ") {
		return Reference{}, fmt.Errorf("model %q: %q is not a branch, tag or commit", name, revision)
	}
	return Reference{fullName(repo), revision}, nil
}

func fullName(repo string) string {
	if strings.Contains(repo, "/") {
		return repo
	}
	for _, k := range known {
		if strings.EqualFold(path.Base(k.Name), repo) {
			return k.Name
		}
	}
	return defaultOrg + "/" + repo
}

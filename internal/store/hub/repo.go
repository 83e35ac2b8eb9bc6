package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// maxListing bounds the answer to a listing; a repository of ten thousand files needs 1 MB.
const maxListing = 64 << 20

// Kind is what a repository holds.
type Kind string

const (
	Model   Kind = "model"
	Dataset Kind = "dataset"
)

// Repo names a repository at a revision.
type Repo struct {
	Kind     Kind
	Name     string // org/name
	Revision string // branch, tag or commit
}

// Info is what the hub says of a repository at a revision.
type Info struct {
	Commit  string   // 40 hexadecimal digits
	Files   []string // paths within the repository
	License string   // as its card says; empty where it does not
}

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	namePattern   = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)?$`)
)

// IsCommit tells whether a revision is a commit, which never moves.
func IsCommit(revision string) bool { return commitPattern.MatchString(revision) }

// ValidName tells whether a name can be a repository's: org/name or name.
func ValidName(name string) bool {
	return namePattern.MatchString(name) && !strings.Contains(name, "..") && !strings.Contains(name, "--") && len(name) <= 200
}

// Info resolves the revision to a commit and lists the files at it.
func (c *Client) Info(ctx context.Context, repo Repo) (Info, error) {
	var answer struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
		Tags []string `json:"tags"`
	}
	address := c.endpoint.JoinPath("api", string(repo.Kind)+"s", repo.Name, "revision", url.PathEscape(repo.Revision)).String()
	if err := c.getJSON(ctx, address, &answer); err != nil {
		return Info{}, err
	}
	if !IsCommit(answer.SHA) {
		return Info{}, fmt.Errorf("%s: %q is not a commit", address, answer.SHA)
	}
	info := Info{Commit: answer.SHA, License: license(answer.Tags)}
	for _, s := range answer.Siblings {
		// Its path becomes a path on this machine.
		if !filepath.IsLocal(filepath.FromSlash(s.Name)) || path.Clean(s.Name) != s.Name || strings.Contains(s.Name, `\`) {
			return Info{}, fmt.Errorf("%s: lists the file %.80q, which is no path within a repository", address, s.Name)
		}
		info.Files = append(info.Files, s.Name)
	}
	return info, nil
}

func license(tags []string) string {
	for _, tag := range tags {
		if name, ok := strings.CutPrefix(tag, "license:"); ok {
			return name
		}
	}
	return ""
}

// Parquet lists the addresses of the Parquet files that the hub made of a data
// set's split.
func (c *Client) Parquet(ctx context.Context, dataset, config, split string) ([]string, error) {
	var addresses []string
	address := c.endpoint.JoinPath("api", "datasets", dataset, "parquet", url.PathEscape(config), url.PathEscape(split)).String()
	if err := c.getJSON(ctx, address, &addresses); err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("%s: lists no file", address)
	}
	return addresses, nil
}

// Reachable tells, within Reach, whether the hub answers at all. Any answer counts.
func (c *Client) Reachable(ctx context.Context) error {
	response, err := c.send(ctx, request{method: http.MethodHead, url: c.endpoint.String(), client: c.stay})
	var status *StatusError
	if errors.As(err, &status) {
		return nil
	}
	if err == nil {
		err = response.Body.Close()
	}
	return err
}

func (c *Client) getJSON(ctx context.Context, address string, into any) error {
	response, err := c.do(ctx, request{method: http.MethodGet, url: address, client: c.follow})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, maxListing)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	return nil
}

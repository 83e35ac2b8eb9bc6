package hub

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// File is one file of a repository as the hub describes it.
type File struct {
	Path string
	URL  string // at the commit, so that it cannot change between two requests
	Size int64  // bytes
	// ETag is the file's hash: SHA-256 in 64 hexadecimal digits for large files,
	// git's blob id (SHA-1) in 40 for the others.
	ETag string
}

var etagPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// Stat asks for a file's size and hash.
func (c *Client) Stat(ctx context.Context, repo Repo, path string) (File, error) {
	f := File{Path: path, URL: c.resolve(repo, path)}
	response, err := c.do(ctx, request{method: http.MethodHead, url: f.URL, client: c.stay})
	if err != nil {
		return File{}, err
	}
	defer response.Body.Close()
	f.ETag = strings.Trim(strings.TrimPrefix(linked(response, "X-Linked-Etag", "ETag"), "W/"), `"`)
	if !etagPattern.MatchString(f.ETag) {
		return File{}, fmt.Errorf("%s: the ETag %.80q is no hash of the file; want 40 or 64 hexadecimal digits", f.URL, f.ETag)
	}
	size := linked(response, "X-Linked-Size", "Content-Length")
	if f.Size, err = strconv.ParseInt(size, 10, 64); err != nil || f.Size < 0 {
		return File{}, fmt.Errorf("%s: the size %.40q is no number of bytes", f.URL, size)
	}
	return f, nil
}

// resolve is the address of a file at a revision.
func (c *Client) resolve(repo Repo, path string) string {
	parts := []string{repo.Name, "resolve", url.PathEscape(repo.Revision)}
	if repo.Kind == Dataset {
		parts = append([]string{"datasets"}, parts...)
	}
	for part := range strings.SplitSeq(path, "/") {
		parts = append(parts, url.PathEscape(part))
	}
	return c.endpoint.JoinPath(parts...).String()
}

// linked looks for the header that describes the stored file in the answer and
// in the redirects that led to it; only then for the answer's own.
func linked(response *http.Response, header, own string) string {
	for r := response; r != nil; r = r.Request.Response {
		if value := r.Header.Get(header); value != "" {
			return value
		}
	}
	return response.Header.Get(own)
}

// Fetch completes out, which holds the file's first bytes (none at first) from
// an earlier try, and tells advance of every change in their number. Hashes are
// the caller's to check. A connection that breaks is taken up where it broke;
// only tries that brought nothing new count against Tries.
func (c *Client) Fetch(ctx context.Context, f File, out *os.File, advance func(n int64)) error {
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	advance(have)
	best, barren := have, 0
	for have != f.Size {
		have, err = c.fetchFrom(ctx, f, out, have, advance)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			continue
		}
		if barren++; have > best {
			best, barren = have, 1
		}
		if !c.worthRetrying(err) || barren >= c.o.Tries {
			return fmt.Errorf("%d of %d bytes arrived: %w", have, f.Size, err)
		}
		c.o.Logger.Debug("hub: download broke, going on", "file", f.Path, "at", have, "error", err)
		if waitErr := c.o.Wait(ctx, pause(err, barren)); waitErr != nil {
			return waitErr
		}
	}
	return nil
}

// fetchFrom asks once for the bytes from have on and returns how many out holds then.
func (c *Client) fetchFrom(ctx context.Context, f File, out *os.File, have int64, advance func(int64)) (int64, error) {
	if have > f.Size { // the remains of something else
		return 0, restart(out, have, advance)
	}
	q := request{method: http.MethodGet, url: f.URL, client: c.follow, header: http.Header{}}
	if have > 0 {
		q.header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := c.send(ctx, q)
	if err != nil {
		return have, err
	}
	defer response.Body.Close()
	if have > 0 && !startsAt(response, have) { // it does not do ranges
		if err := restart(out, have, advance); err != nil {
			return have, err
		}
		have = 0
	}
	return copyBody(f, out, response.Body, have, advance)
}

func startsAt(response *http.Response, offset int64) bool {
	return response.StatusCode == http.StatusPartialContent &&
		strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset))
}

func restart(out *os.File, have int64, advance func(int64)) error {
	if err := out.Truncate(0); err != nil {
		return err
	}
	_, err := out.Seek(0, io.SeekStart)
	advance(-have)
	return err
}

// copyBody appends the body to out, never beyond the file's size.
func copyBody(f File, out *os.File, body io.Reader, have int64, advance func(int64)) (int64, error) {
	buffer := make([]byte, 128<<10)
	for {
		n, err := body.Read(buffer)
		if have+int64(n) > f.Size {
			return have, fmt.Errorf("%s: more than the %d bytes announced", withoutQuery(f.URL), f.Size)
		}
		if _, writeErr := out.Write(buffer[:n]); writeErr != nil {
			return have, writeErr
		}
		have += int64(n)
		advance(int64(n))
		if err == io.EOF && have < f.Size {
			err = io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			return have, nil
		}
		if err != nil {
			return have, fmt.Errorf("%w: %s: %w", errTransport, withoutQuery(f.URL), err)
		}
	}
}

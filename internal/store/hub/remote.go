package hub

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Remote is a file at the hub that is read in pieces, without being downloaded
// whole. It implements io.ReaderAt; each call is a request of its own, so readers
// of many small pieces should put a buffer before it.
type Remote struct {
	client *Client
	ctx    context.Context // io.ReaderAt has no room for one
	url    string
	size   int64
}

// OpenRemote asks for the size of the file at an address, such as Parquet gives.
// ctx ends every later ReadAt too.
func (c *Client) OpenRemote(ctx context.Context, address string) (*Remote, error) {
	response, err := c.do(ctx, request{method: http.MethodHead, url: address, client: c.stay})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	size, err := strconv.ParseInt(linked(response, "X-Linked-Size", "Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return nil, fmt.Errorf("%s: the hub does not say how long it is", withoutQuery(address))
	}
	return &Remote{c, ctx, address, size}, nil
}

// Size is the file's length in bytes.
func (r *Remote) Size() int64 { return r.size }

// ReadAt fetches len(p) bytes from an offset on, with as many tries as a download has.
func (r *Remote) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("%s: offset %d", withoutQuery(r.url), offset)
	}
	want := min(int64(len(p)), max(0, r.size-offset))
	var have int64
	for barren := 0; have < want; {
		n, err := r.readOnce(p[have:want], offset+have)
		have += int64(n)
		if have == want {
			break
		}
		if barren++; n > 0 {
			barren = 1
		}
		if r.ctx.Err() != nil {
			return int(have), context.Cause(r.ctx)
		}
		if !r.client.worthRetrying(err) || barren >= r.client.o.Tries {
			return int(have), err
		}
		if err := r.client.o.Wait(r.ctx, pause(err, barren)); err != nil {
			return int(have), err
		}
	}
	if want < int64(len(p)) {
		return int(have), io.EOF
	}
	return int(have), nil
}

func (r *Remote) readOnce(p []byte, offset int64) (int, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", offset, offset+int64(len(p))-1)}}
	response, err := r.client.send(r.ctx, request{method: http.MethodGet, url: r.url, header: header, client: r.client.follow})
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if !startsAt(response, offset) {
		return 0, fmt.Errorf("%s: the answer is not the range that was asked for: status %d, Content-Range %q", withoutQuery(r.url), response.StatusCode, response.Header.Get("Content-Range"))
	}
	n, err := io.ReadFull(response.Body, p)
	if err != nil {
		return n, fmt.Errorf("%w: %s: %w", errTransport, withoutQuery(r.url), err)
	}
	return n, nil
}

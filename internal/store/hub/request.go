package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The waits between tries: doubled from firstWait to longestWait, and what the
// hub asks for up to longestRetryAfter.
const (
	firstWait         = 500 * time.Millisecond
	longestWait       = 8 * time.Second
	longestRetryAfter = 60 * time.Second
	maxRedirects      = 10
)

// errTransport marks a failure of the connection, as opposed to an answer.
var errTransport = errors.New("connection failed")

// request is one question to the hub, sent as often as it takes.
type request struct {
	method string
	url    string
	header http.Header
	client *http.Client
}

// do sends the request until it succeeds, fails for good or has been tried often
// enough. The caller closes the body of the answer, whose status is below 400.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	var err error
	for try := range c.o.Tries {
		if try > 0 {
			if waitErr := c.o.Wait(ctx, pause(err, try)); waitErr != nil {
				return nil, waitErr
			}
		}
		var response *http.Response
		if response, err = c.send(ctx, q); err == nil {
			return response, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !c.worthRetrying(err) {
			return nil, err
		}
		c.o.Logger.Debug("hub: trying again", "url", withoutQuery(q.url), "try", try+1, "error", err)
	}
	return nil, fmt.Errorf("gave up after %d tries: %w", c.o.Tries, err)
}

// send sends the request once. Its body counts as broken when it brings no byte for Stall.
func (c *Client) send(ctx context.Context, q request) (*http.Response, error) {
	limit := c.o.Answer
	if !c.contacted.Load() {
		limit = c.o.Reach
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("no answer within %v", limit)) })
	r, err := http.NewRequestWithContext(ctx, q.method, q.url, nil)
	if err != nil {
		timer.Stop()
		cancel(nil)
		return nil, err
	}
	c.setHeader(r, q.header)
	response, err := q.client.Do(r)
	timer.Stop()
	if err != nil {
		defer cancel(nil)
		return nil, c.transportError(q, orCause(ctx, err))
	}
	c.contacted.Store(true)
	response.Body = newStallReader(ctx, response.Body, c.o.Stall, cancel)
	if response.StatusCode >= http.StatusBadRequest {
		defer response.Body.Close()
		_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // keeps the connection
		return nil, statusError(response)
	}
	return response, nil
}

func (c *Client) setHeader(r *http.Request, header http.Header) {
	for key, values := range header {
		r.Header[key] = values
	}
	r.Header.Set("User-Agent", "paceline")
	r.Header.Set("Accept-Encoding", "identity")
	if c.o.Token != "" && c.atHome(r.URL) {
		r.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
}

// transportError makes a failed connection an ErrUnreachable while the hub has
// never answered: then another source is better than another try.
func (c *Client) transportError(q request, err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // the address is said below, without its query
	}
	if !c.contacted.Load() {
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, c.endpoint, err)
	}
	return fmt.Errorf("%w: %s: %w", errTransport, withoutQuery(q.url), err)
}

func (c *Client) worthRetrying(err error) bool {
	var retry *retryError
	return errors.Is(err, errTransport) || errors.As(err, &retry)
}

// retryError is an answer that asks to be asked again.
type retryError struct {
	*StatusError
	after time.Duration // 0: not said
}

func (e *retryError) Unwrap() error { return e.StatusError }

func statusError(r *http.Response) error {
	e := newStatusError(r)
	switch {
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusRequestTimeout, r.StatusCode >= 500:
	default:
		return e
	}
	after := retryAfter(r.Header.Get("Retry-After"))
	if after > longestRetryAfter {
		return fmt.Errorf("%w; it asks to wait %v, longer than the %v that are waited", e, after, longestRetryAfter)
	}
	return &retryError{e, after}
}

// retryAfter reads the header's two forms, seconds and a date.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if when, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(when))
	}
	return 0
}

// pause is the wait before a try: what the hub asked for, else doubled each time,
// with up to half as much again so that many clients do not come back together.
func pause(err error, try int) time.Duration {
	var retry *retryError
	if errors.As(err, &retry) && retry.after > 0 {
		return retry.after
	}
	d := min(firstWait<<(try-1), longestWait)
	return d + rand.N(d/2)
}

// atHome tells whether an address is the hub's own.
func (c *Client) atHome(u *url.URL) bool {
	return u.Scheme == c.endpoint.Scheme && u.Host == c.endpoint.Host
}

// redirectAnywhere follows a redirect, for instance to storage, and takes the
// token away at the hub's door. net/http itself would keep it for a subdomain
// and for another port.
func (c *Client) redirectAnywhere(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if !c.atHome(r.URL) {
		r.Header.Del("Authorization")
	}
	return nil
}

// redirectAtHome follows redirects within the hub (a renamed repository) and
// returns one that leaves it as the answer: it carries a large file's hash.
func (c *Client) redirectAtHome(r *http.Request, via []*http.Request) error {
	if !c.atHome(r.URL) {
		return http.ErrUseLastResponse
	}
	return c.redirectAnywhere(r, via)
}

// orCause prefers the reason a context was cancelled for over "context canceled".
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

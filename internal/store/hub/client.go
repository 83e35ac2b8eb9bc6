package hub

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultEndpoint is the public hub, used where HF_ENDPOINT names no other.
const DefaultEndpoint = "https://huggingface.co"

// Options configure a Client. Zero values mean the defaults in brackets.
type Options struct {
	Endpoint  string            // [DefaultEndpoint]
	Token     string            // sent as a bearer token; empty: anonymous
	Transport http.RoundTripper // [a transport of its own that honours the proxy variables]
	Logger    *slog.Logger      // [slog.Default()]
	Reach     time.Duration     // [3s] for the first answer; without it the hub is unreachable
	Answer    time.Duration     // [10s] for the headers of each later answer
	Stall     time.Duration     // [20s] without a byte: the connection counts as broken
	Tries     int               // [5] in a row without success
	// Wait sleeps between tries [a timer]; tests replace it.
	Wait func(ctx context.Context, d time.Duration) error
}

// Client asks one hub. It may be used from many goroutines.
type Client struct {
	o         Options
	endpoint  *url.URL
	follow    *http.Client // follows every redirect, the token stays at home
	stay      *http.Client // follows redirects within the hub only
	contacted atomic.Bool  // the hub has answered at least once
}

// New makes a Client. The error is a malformed endpoint's.
func New(o Options) (*Client, error) {
	o = o.withDefaults()
	endpoint, err := url.Parse(strings.TrimRight(o.Endpoint, "/"))
	if err != nil || endpoint.Host == "" || (endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return nil, &EndpointError{o.Endpoint}
	}
	c := &Client{o: o, endpoint: endpoint}
	c.follow = &http.Client{Transport: o.Transport, CheckRedirect: c.redirectAnywhere}
	c.stay = &http.Client{Transport: o.Transport, CheckRedirect: c.redirectAtHome}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Endpoint == "" {
		o.Endpoint = DefaultEndpoint
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	setDefault(&o.Reach, 3*time.Second)
	setDefault(&o.Answer, 10*time.Second)
	setDefault(&o.Stall, 20*time.Second)
	setDefault(&o.Tries, 5)
	if o.Wait == nil {
		o.Wait = wait
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// newTransport is like http.DefaultTransport but shares no connections with it,
// and leaves bodies as they are: a hash is of the stored bytes.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     30 * time.Second,
	}
}

// Endpoint is the hub's address, for messages.
func (c *Client) Endpoint() string { return c.endpoint.String() }

// Close drops idle connections.
func (c *Client) Close() { c.follow.CloseIdleConnections() }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

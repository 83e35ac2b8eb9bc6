package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

// healthcheckCommand is `paceline healthcheck`: an image that holds nothing but this
// program has nobody else to ask.
type healthcheckCommand struct {
	URL     string        `placeholder:"URL" help:"Address of the server (the one on this machine, where PACELINE_HOST, PACELINE_PORT and PACELINE_TLS_CERT put it; http://127.0.0.1:8000 without them)."`
	Timeout time.Duration `default:"3s" help:"How long to wait for the answer (${default})."`
}

// Run asks once.
func (c *healthcheckCommand) Run(ctx context.Context, app *kong.Kong) error {
	address, err := url.Parse(cmp.Or(c.URL, addressHere()))
	switch {
	case err != nil:
		return fmt.Errorf("%w: --url, or PACELINE_HOST and PACELINE_PORT: %w", errUsage, err)
	case address.Scheme != "http" && address.Scheme != "https", address.Host == "":
		return fmt.Errorf("%w: --url is %s; it must be http://HOST:PORT or https://HOST:PORT", errUsage, address)
	case c.Timeout <= 0:
		return fmt.Errorf("%w: --timeout is %v; it must be longer than 0", errUsage, c.Timeout)
	}
	if err := c.ask(ctx, address.JoinPath("health", "ready").String()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Stdout, "%s is ready\n", address)
	return err
}

// addressHere is where a server with the settings of this environment listens.
func addressHere() string {
	scheme, host := "http", cmp.Or(os.Getenv("PACELINE_HOST"), "127.0.0.1")
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if os.Getenv("PACELINE_TLS_CERT") != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, cmp.Or(os.Getenv("PACELINE_PORT"), os.Getenv("PORT"), "8000"))
}

// ask says why the server is not ready.
func (c *healthcheckCommand) ask(ctx context.Context, page string) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	reply, err := asker.RoundTrip(request)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: no answer within %v: see what keeps the server busy, or wait longer with --timeout", page, c.Timeout)
	case err != nil:
		return fmt.Errorf("%s: %w: start `paceline serve`, or name its address with --url", page, err)
	}
	reply.Body.Close()
	return judgeReply(page, reply.StatusCode)
}

// judgeReply goes by the status alone: no byte of the body is read.
func judgeReply(page string, status int) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusServiceUnavailable:
		return fmt.Errorf("%s: status 503: the model is not loaded yet, or a shutdown has begun", page)
	}
	return fmt.Errorf("%s: status %d, want 200: name the address of a `paceline serve` with --url, https:// where it has a certificate", page, status)
}

// asker follows no redirect and goes through no proxy. It takes any certificate, as
// Kubernetes' probes do: one is rarely made out to 127.0.0.1, and nothing is told here
// that another server must not hear.
var asker = &http.Transport{
	TLSClientConfig:        &tls.Config{InsecureSkipVerify: true},
	MaxResponseHeaderBytes: 64 << 10,
	DisableKeepAlives:      true,
}

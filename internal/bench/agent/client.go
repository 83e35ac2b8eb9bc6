package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

// Client asks an agent; it is a sample.Source.
type Client struct {
	Machine record.Machine // that the agent runs on

	base, token string
	http        *http.Client
}

// Dial asks the agent at base, such as http://10.0.0.7:9470, for its machine and a
// first reading, so that a mistake shows before anything is measured.
func Dial(ctx context.Context, base, token string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("agent %q: want http://HOST:PORT", base)
	}
	c := &Client{base: strings.TrimSuffix(base, "/"), token: token, http: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2},                                       // no proxy stands between
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this host
	}}
	if err := c.ask(ctx, http.MethodGet, machineRoute, &c.Machine); err != nil {
		return nil, err
	}
	_, err = c.Read(ctx, 0)
	return c, err
}

// Close ends the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// From says that an agent tells.
func (c *Client) From() string { return record.FromAgent }

// Read takes a reading.
func (c *Client) Read(ctx context.Context, want sample.Want) (u sample.Usage, err error) {
	err = c.ask(ctx, http.MethodPost, fmt.Sprintf("%s?want=%d", usageRoute, want), &u)
	if err == nil && !plausible(u) {
		err = fmt.Errorf("agent %s: a reading that cannot be: %+v", c.base, u)
	}
	return u, err
}

// plausible holds what an agent says against what readings can be.
func plausible(u sample.Usage) bool {
	figures := []float64{u.CPUSeconds, float64(u.RSSBytes), float64(u.PSSBytes), float64(u.PeakBytes), float64(u.MinorFaults), float64(u.MajorFaults), float64(u.Threads)}
	if g := u.GPU; g != nil {
		figures = append(figures, g.Utilization, float64(g.Bytes), g.Watts, g.Joules, float64(g.Count))
	}
	for _, f := range figures {
		if !(f >= 0) || math.IsInf(f, 1) {
			return false
		}
	}
	return true
}

// maxAnswer bounds what an agent's answer may take.
const maxAnswer = 1 << 20

func (c *Client) ask(ctx context.Context, method, route string, to any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+route, nil)
	if err != nil {
		return fmt.Errorf("agent %s: %w", c.base, err)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	reply, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("agent %s: %w", c.base, errors.Unwrap(err))
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("agent %s: %w", c.base, err)
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("agent %s: %s: %.300s", c.base, reply.Status, strings.TrimSpace(string(text)))
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("agent %s: not an answer of paceline agent: %w", c.base, err)
	}
	return nil
}

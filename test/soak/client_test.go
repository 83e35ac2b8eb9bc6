package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
)

// size is what a request is made of. The tiny model is so quick that of short requests four
// times as many as it answers would keep the machine busy with their connections alone.
type size struct{ texts, words int }

func sizeFor(model string) size {
	if model == "" {
		return size{texts: 32, words: 24}
	}
	return size{texts: 4, words: 12}
}

// How long a request's client waits.
const (
	patience    = 5 * time.Minute
	impatience  = 2 * time.Millisecond
	calibration = time.Second
)

// Outcomes beside the driver's own.
const (
	wrongBytes  driver.Outcome = "wrong vectors"
	noHint      driver.Outcome = "refused without a usable Retry-After"
	toldBad     driver.Outcome = "bad request told"
	clientLeft  driver.Outcome = "client left"
	notToldBad  driver.Outcome = "bad request not told"
	brokenReply driver.Outcome = "no whole reply"
)

// expected are the outcomes that an upright server may have in an overload.
var expected = []driver.Outcome{driver.OK, driver.Overloaded, toldBad, clientLeft}

// client speaks TEI's /embed, whose answer to a request is the same to the byte
// every time, and counts what it sees.
type client struct {
	http     *http.Client
	url      string
	body     []byte
	want     []byte // the answer to body
	seen     tally
	details  sync.Map // outcome -> what was said the first time
	answered []time.Duration
}

// tally counts outcomes.
type tally map[driver.Outcome]int

func (t tally) String() string {
	var parts []string
	for _, outcome := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, fmt.Sprintf("%d %s", t[outcome], outcome))
	}
	return strings.Join(parts, ", ")
}

// newClient asks once for the answer that all later ones must equal.
func newClient(t *testing.T, url string) *client {
	c := &client{
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2048}, Timeout: patience},
		url:  url + "/embed", body: request(t), seen: tally{},
	}
	t.Cleanup(c.http.CloseIdleConnections)
	status, _, body, err := c.post(t.Context(), c.body)
	if err != nil || status != http.StatusOK {
		t.Fatalf("the first request: %d %s %v", status, body, err)
	}
	c.want = body
	return c
}

// request encodes texts of different words.
func request(t *testing.T) []byte {
	size := sizeFor(os.Getenv(modelVariable))
	texts := make([]string, size.texts)
	for i := range texts {
		texts[i] = strings.Repeat(fmt.Sprintf("the %d quick riders ", i), size.words/4)
	}
	body, err := json.Marshal(map[string]any{"inputs": texts})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// capacity is the rate of answers to a few clients that never rest.
func (c *client) capacity(t *testing.T) float64 {
	answered := 0
	run := load.Closed{Clients: clients, Duration: calibration}.Run(t.Context(), c.good, func(s load.Sample) {
		if s.Outcome == driver.OK {
			answered++
		}
	})
	if answered == 0 {
		t.Fatalf("no request was answered within %v", calibration)
	}
	return float64(answered) / run.Elapsed.Seconds()
}

// mixed sends mostly good requests, now and then a bad one or one whose client
// does not stay.
func (c *client) mixed(ctx context.Context, seq int) driver.Outcome {
	switch seq % 16 {
	case 5:
		return c.bad(ctx)
	case 11:
		ctx, cancel := context.WithTimeout(ctx, impatience)
		defer cancel()
		if outcome := c.good(ctx, seq); ctx.Err() == nil {
			return outcome
		}
		return clientLeft
	}
	return c.good(ctx, seq)
}

// good sends the known request.
func (c *client) good(ctx context.Context, _ int) driver.Outcome {
	status, retry, body, err := c.post(ctx, c.body)
	switch {
	case err != nil:
		return c.say(brokenReply, err.Error())
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return c.hint(retry)
	case status != http.StatusOK:
		return c.say(driver.Server5xx, fmt.Sprintf("%d %s", status, body))
	case !bytes.Equal(body, c.want):
		return c.say(wrongBytes, string(body[:min(len(body), 200)]))
	}
	return driver.OK
}

// bad sends what no server can answer.
func (c *client) bad(ctx context.Context) driver.Outcome {
	status, retry, body, err := c.post(ctx, c.body[:len(c.body)-2])
	switch {
	case err != nil:
		return c.say(brokenReply, err.Error())
	case status == http.StatusTooManyRequests:
		return c.hint(retry)
	case status < 400 || status >= 500:
		return c.say(notToldBad, fmt.Sprintf("%d %s", status, body))
	}
	return toldBad
}

// hint wants whole seconds, at least one.
func (c *client) hint(retry string) driver.Outcome {
	if seconds, err := strconv.Atoi(retry); err != nil || seconds < 1 {
		return c.say(noHint, fmt.Sprintf("Retry-After: %q", retry))
	}
	return driver.Overloaded
}

// say keeps the first detail of each outcome.
func (c *client) say(outcome driver.Outcome, detail string) driver.Outcome {
	c.details.LoadOrStore(outcome, detail)
	return outcome
}

func (c *client) post(ctx context.Context, body []byte) (status int, retry string, reply []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	reply, err = io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Retry-After"), reply, errors.Join(err, response.Body.Close())
}

// note is the load's sink.
func (c *client) note(s load.Sample) {
	c.seen[s.Outcome]++
	if s.Outcome == driver.OK {
		c.answered = append(c.answered, s.Latency())
	}
}

// judge wants nothing but what is expected, and both answers and refusals.
func (c *client) judge(t *testing.T) {
	slices.Sort(c.answered)
	if n := len(c.answered); n > 0 {
		t.Logf("answers took %v in the middle, %v at most", c.answered[n/2].Round(time.Millisecond), c.answered[n-1].Round(time.Millisecond))
	}
	for outcome, n := range c.seen {
		if !slices.Contains(expected, outcome) {
			detail, _ := c.details.Load(outcome)
			t.Errorf("%d times: %s (%v)", n, outcome, detail)
		}
	}
	for _, outcome := range []driver.Outcome{driver.OK, driver.Overloaded} {
		if c.seen[outcome] == 0 {
			t.Errorf("no request ended with: %s", outcome)
		}
	}
}

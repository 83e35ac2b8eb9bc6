package goodput

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/bench/stat"
)

// SLO is a service-level objective: every bound must hold.
type SLO struct {
	Percentiles []Percentile
	Errors      float64 // share of requests that may fail
	Chars       int     // texts of at most so many characters are sent; 0: all
}

// Percentile bounds the latency that a share of the requests stays within, counted
// from the intended time.
type Percentile struct {
	Share float64 // 0.99
	Limit time.Duration
}

// usualErrors is the share of failures that an objective allows without a word of
// its own: what the percentiles allow, no more than one in a hundred.
const usualErrors = 0.01

// Parse reads bounds in any order, separated by commas: p99=50ms (also p99<50ms and
// p99<=50ms), errors<0.1%, chars<=500.
func Parse(text string) (SLO, error) {
	s := SLO{Errors: -1}
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := cutBound(item)
		if !ok {
			return SLO{}, fmt.Errorf("objective %q: %q is no bound: want p99=50ms, errors<0.1%%, chars<=500", text, item)
		}
		if err := s.add(name, value); err != nil {
			return SLO{}, fmt.Errorf("objective %q: %w", text, err)
		}
	}
	if len(s.Percentiles) == 0 {
		return SLO{}, fmt.Errorf("objective %q bounds no latency: add p99=50ms or another percentile", text)
	}
	if s.Errors < 0 {
		s.Errors = usualErrors
	}
	return s, nil
}

func cutBound(item string) (name, value string, ok bool) {
	at := strings.IndexAny(item, "<=")
	if at < 0 {
		return "", "", false
	}
	value = strings.TrimPrefix(item[at+1:], "=")
	return strings.ToLower(strings.TrimSpace(item[:at])), strings.TrimSpace(value), true
}

func (s *SLO) add(name, value string) error {
	switch {
	case name == "errors" && s.Errors < 0:
		share, err := parseShare(value)
		s.Errors = share
		return err
	case name == "chars" && s.Chars == 0:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return fmt.Errorf("chars<=%s: want a number of characters", value)
		}
		s.Chars = n
		return nil
	case name == "errors", name == "chars":
		return fmt.Errorf("%s stands in it twice", name)
	}
	p, err := parsePercentile(name, value)
	if err != nil {
		return err
	}
	for _, other := range s.Percentiles {
		if other.Share == p.Share {
			return fmt.Errorf("%s stands in it twice", name)
		}
	}
	s.Percentiles = append(s.Percentiles, p)
	return nil
}

// parseShare reads 0.1% or 0.001.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share < 1) {
		return 0, fmt.Errorf("errors<%s: want a share such as 0.1%% or 0.001", text)
	}
	return share, nil
}

func parsePercentile(name, value string) (Percentile, error) {
	number, is := strings.CutPrefix(name, "p")
	percent, err := strconv.ParseFloat(number, 64)
	if !is || err != nil || !(percent >= 1 && percent <= 99.99) {
		return Percentile{}, fmt.Errorf("%q is no percentile, errors or chars: percentiles are p1 to p99.99", name)
	}
	limit, err := time.ParseDuration(value)
	if err != nil || limit <= 0 || limit > time.Hour {
		return Percentile{}, fmt.Errorf("%s=%s: want a time such as 50ms", name, value)
	}
	return Percentile{Share: math.Round(percent*1e6) / 1e8, Limit: limit}, nil
}

// String is what [Parse] reads.
func (s SLO) String() string {
	var parts []string
	for _, p := range s.Percentiles {
		parts = append(parts, p.String())
	}
	parts = append(parts, s.errors())
	if s.Chars > 0 {
		parts = append(parts, fmt.Sprintf("chars<=%d", s.Chars))
	}
	return strings.Join(parts, ",")
}

func (s SLO) errors() string { return fmt.Sprintf("errors<%.6g%%", 100*s.Errors) }

// String is p99=50ms.
func (p Percentile) String() string {
	return fmt.Sprintf("p%.6g=%v", 100*p.Share, p.Limit)
}

// Requests is how many a try needs at the least for its highest percentile to be
// shown at all: MLPerf's early-stopping count with one overlatency. A service of
// which just a share p stays within the limit passes with a chance of one in a
// hundred, whatever the count.
func (s SLO) Requests() int {
	most := 0
	for _, p := range s.Percentiles {
		most = max(most, stat.MinSamples(p.Share))
	}
	return most
}

// Longest is the highest of the limits.
func (s SLO) Longest() time.Duration {
	longest := time.Duration(0)
	for _, p := range s.Percentiles {
		longest = max(longest, p.Limit)
	}
	return longest
}

// Patience is how long replies are waited for after the last sending: what comes
// later is beyond every limit.
func (s SLO) Patience() time.Duration {
	const least = 5 * time.Second
	return max(least, 2*s.Longest())
}

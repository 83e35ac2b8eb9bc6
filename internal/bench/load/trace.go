package load

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trace is what a real service was once asked: when, and how much.
type Trace struct {
	Name     string     // of its file
	Requests []Recorded // by their time, the first at 0
}

// Recorded is one request of a trace.
type Recorded struct {
	At    time.Duration
	Texts int // 0: not recorded
	Chars int // of each text; 0: not recorded
}

// charsPerToken turns recorded token counts into lengths of text: MS MARCO's
// passages have 335.8 characters and 68 tokens in the mean.
const charsPerToken = 335.8 / 68

// ReadTrace reads a file of one of these forms:
//
//   - a number of seconds a line;
//   - CSV whose head names a column timestamp (seconds, or a date and time) and
//     may name texts or batch_size, chars, and ContextTokens or "Request tokens"
//     (the traces of Azure's LLM inference and of BurstGPT);
//   - JSON lines with "timestamp" in milliseconds and maybe "texts", "chars" or
//     "input_length" in tokens (Mooncake's).
func ReadTrace(path string) (*Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := parseTrace(file)
	if err != nil {
		return nil, fmt.Errorf("trace %s: %w", path, err)
	}
	t.Name = filepath.Base(path)
	return t, nil
}

func parseTrace(r io.Reader) (*Trace, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(1)
	for err == nil && (head[0] == '\n' || head[0] == '\r' || head[0] == ' ') {
		in.Discard(1)
		head, err = in.Peek(1)
	}
	if err != nil {
		return nil, errNoRequests
	}
	var list []Recorded
	if head[0] == '{' {
		list, err = parseJSONLines(in)
	} else {
		list, err = parseTable(in)
	}
	if err != nil {
		return nil, err
	}
	return newTrace(list)
}

var errNoRequests = errors.New("holds no requests")

// newTrace puts the requests in order and checks that they have a rate.
func newTrace(list []Recorded) (*Trace, error) {
	slices.SortStableFunc(list, func(a, b Recorded) int { return cmp.Compare(a.At, b.At) })
	if len(list) < 2 || list[len(list)-1].At == list[0].At {
		return nil, fmt.Errorf("%w: at least two at different times are needed", errNoRequests)
	}
	first := list[0].At
	for i := range list {
		list[i].At -= first
	}
	return &Trace{Requests: list}, nil
}

func parseJSONLines(in io.Reader) (list []Recorded, err error) {
	decoder := json.NewDecoder(in)
	for {
		var line struct {
			Timestamp *float64 `json:"timestamp"` // milliseconds
			Texts     int      `json:"texts"`
			Chars     int      `json:"chars"`
			Tokens    float64  `json:"input_length"`
		}
		if err := decoder.Decode(&line); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("request %d: %w", len(list)+1, err)
		}
		if line.Timestamp == nil {
			return nil, fmt.Errorf("request %d has no timestamp", len(list)+1)
		}
		if line.Chars == 0 {
			line.Chars = chars(line.Tokens)
		}
		if list, err = add(list, *line.Timestamp/1e3, line.Texts, line.Chars); err != nil {
			return nil, err
		}
	}
}

// longestTrace bounds the times of a trace, in seconds: a century, so that
// epoch seconds are taken.
const longestTrace = 100 * 365 * 86400

// Bounds of what one recorded request may ask for.
const (
	mostTexts = 1 << 16
	mostChars = 1 << 20
)

func add(list []Recorded, at float64, texts, chars int) ([]Recorded, error) {
	switch {
	case !(at >= 0 && at <= longestTrace):
		return nil, fmt.Errorf("request %d at %g s: want from 0 to %d", len(list)+1, at, longestTrace)
	case texts < 0 || texts > mostTexts || chars < 0 || chars > mostChars:
		return nil, fmt.Errorf("request %d: %d texts of %d characters, at most %d of %d", len(list)+1, texts, chars, mostTexts, mostChars)
	case len(list) == MostRequests:
		return nil, fmt.Errorf("more than %d requests", MostRequests)
	}
	return append(list, Recorded{seconds(at).Round(time.Microsecond), texts, chars}), nil
}

func chars(tokens float64) int {
	if !(tokens >= 0) {
		return -1
	}
	return int(min(math.Round(tokens*charsPerToken), mostChars+1))
}

// columns are where a table has what.
type columns struct{ at, texts, chars, tokens int }

// parseTable reads CSV with a head, or bare seconds.
func parseTable(in io.Reader) (list []Recorded, err error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	has := columns{at: 0, texts: -1, chars: -1, tokens: -1}
	for first := true; ; first = false {
		row, err := rows.Read()
		if err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		if first {
			if _, err := strconv.ParseFloat(strings.TrimSpace(row[0]), 64); err != nil || len(row) > 1 {
				if has, err = readHead(row); err != nil {
					return nil, err
				}
				continue
			}
		}
		if list, err = has.read(list, row); err != nil {
			return nil, err
		}
	}
}

func readHead(row []string) (columns, error) {
	find := func(names ...string) int {
		return slices.IndexFunc(row, func(cell string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(cell))) })
	}
	has := columns{find("timestamp"), find("texts", "batch_size"), find("chars"), find("contexttokens", "request tokens", "input_length")}
	if has.at < 0 {
		return has, fmt.Errorf("no column is called timestamp: %q", row)
	}
	return has, nil
}

func (c columns) read(list []Recorded, row []string) ([]Recorded, error) {
	number := func(column int) (float64, error) {
		if column < 0 || column >= len(row) {
			return 0, nil
		}
		return strconv.ParseFloat(strings.TrimSpace(row[column]), 64)
	}
	if c.at >= len(row) {
		return nil, fmt.Errorf("request %d has no timestamp", len(list)+1)
	}
	at, err := timestamp(strings.TrimSpace(row[c.at]))
	texts, textsErr := number(c.texts)
	length, charsErr := number(c.chars)
	tokens, tokensErr := number(c.tokens)
	if err := errors.Join(err, textsErr, charsErr, tokensErr); err != nil {
		return nil, fmt.Errorf("request %d: %w", len(list)+1, err)
	}
	if !(math.Abs(texts) <= mostTexts && math.Abs(length) <= mostChars) {
		return nil, fmt.Errorf("request %d: %g texts of %g characters, at most %d of %d", len(list)+1, texts, length, mostTexts, mostChars)
	}
	if length == 0 {
		length = float64(chars(tokens))
	}
	return add(list, at, int(texts), int(length))
}

// timestamp reads seconds, or a date and time, which become seconds of the epoch.
func timestamp(cell string) (float64, error) {
	at, err := strconv.ParseFloat(cell, 64)
	if err == nil {
		return at, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if date, err := time.Parse(layout, cell); err == nil {
			return float64(date.UnixMicro()) / 1e6, nil
		}
	}
	return 0, err
}

// Rate is the trace's own, requests a second in the mean.
func (t *Trace) Rate() float64 {
	return float64(len(t.Requests)-1) / t.Requests[len(t.Requests)-1].At.Seconds()
}

// replay gives the trace's times stretched to a rate, over and over: a mean
// distance lies between its end and its next beginning.
func (t *Trace) replay(rate float64) func() time.Duration {
	stretch := t.Rate() / rate
	period := t.Requests[len(t.Requests)-1].At.Seconds()*stretch + 1/rate
	i := -1
	return func() time.Duration {
		i++
		n := len(t.Requests)
		return seconds(float64(i/n)*period + t.Requests[i%n].At.Seconds()*stretch)
	}
}

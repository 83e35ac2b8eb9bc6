package compare

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/paceline/paceline/internal/bench/report/format"
)

// The elements of a JUnit report that CI systems read in common.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes a test case for every figure compared, in a suite a stack. A
// figure beyond a limit fails, and so do a stack that was lost and a limit that was held
// against nothing; a figure that could not be compared is skipped, with the reason.
func (c *Comparison) WriteJUnit(w io.Writer, limits []Limit) error {
	all := junitSuites{Name: "paceline report"}
	for _, change := range c.Changes {
		all.suite(change.Stack).add(change.junit(limits))
	}
	for _, lost := range c.Lost {
		all.suite("stacks").add(junitCase{Class: "stacks", Name: "measured in both runs", Failure: &junitMessage{lost}})
	}
	for _, idle := range c.Idle(limits) {
		all.suite("limits").add(junitCase{Class: "limits", Name: idle.Limit.String(), Failure: &junitMessage{idle.String()}})
	}
	for _, s := range all.Suites {
		all.Tests, all.Failures, all.Skipped = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuites) suite(name string) *junitSuite {
	for i := range s.Suites {
		if s.Suites[i].Name == name {
			return &s.Suites[i]
		}
	}
	s.Suites = append(s.Suites, junitSuite{Name: name})
	return &s.Suites[len(s.Suites)-1]
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

func (c Change) junit(limits []Limit) junitCase {
	test := junitCase{Class: c.Stack, Name: fmt.Sprintf("%s, %s, %s", c.Quantity, c.Sweep, c.Cell),
		Out: fmt.Sprintf("%s, then %s %s: %s (p = %.3g)", format.WithInterval(c.A.Estimate), format.WithInterval(c.B.Estimate), c.Unit, c.Outcome, c.P)}
	for _, l := range limits {
		if l.Breaks(c) {
			test.Failure = &junitMessage{Break{l, c}.String()}
			return test
		}
	}
	if !c.judged() {
		test.Skipped = &junitMessage{c.Why()}
	}
	return test
}

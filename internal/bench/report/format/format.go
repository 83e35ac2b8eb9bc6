// Package format writes numbers, intervals and lists the same way in every table,
// chart, sentence and page of a report.
package format

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Unknown stands where there is no figure.
const Unknown = "–"

// Number writes three significant digits, all digits of whole thousands, and
// commas between them: 0.0123, 1.23, 12.3, 123, 12,345.
func Number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return Unknown
	case size >= 99.95:
		return Grouped(int64(math.Round(v)))
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v == 0:
		return "0"
	case size >= 1e-6:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(size))), 64)
	}
	return strconv.FormatFloat(v, 'e', 2, 64)
}

// Grouped puts commas between thousands.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Interval writes an estimate's ends, nothing for a lone value.
func Interval(e stat.Estimate) string {
	if !e.Known() || e.N < 2 {
		return ""
	}
	return Number(e.Lo) + "–" + Number(e.Hi)
}

// WithInterval writes "123 [120–126]".
func WithInterval(e stat.Estimate) string {
	if text := Interval(e); text != "" {
		return Number(e.Value) + " [" + text + "]"
	}
	return Number(e.Value)
}

// Cosine writes five digits, and never rounds up to a perfect 1.
func Cosine(a record.Agreement) string {
	if a.Texts == 0 {
		return "not checked"
	}
	return strconv.FormatFloat(math.Floor(a.MinCosine*1e5)/1e5, 'f', 5, 64)
}

// ModelLine says which weights were served, in a line.
func ModelLine(m record.Model) string {
	line := m.Name
	if m.Revision != "" {
		line += "@" + m.Revision[:min(12, len(m.Revision))]
	}
	var facts []string
	if m.DType != "" {
		facts = append(facts, m.DType)
	}
	if m.Dim > 0 {
		facts = append(facts, english.Plural(m.Dim, "dimension", ""))
	}
	return withFacts(line, facts)
}

// DataLine says which texts were sent, in a line.
func DataLine(d record.Data) string {
	var facts []string
	if d.Texts > 0 {
		facts = append(facts, english.Plural(d.Texts, "text", ""))
	}
	if d.MeanChars > 0 {
		facts = append(facts, Number(d.MeanChars)+" characters")
	}
	if d.MeanTokens > 0 {
		facts = append(facts, Number(d.MeanTokens)+" tokens on average")
	}
	return withFacts(d.Source, facts)
}

// MachineLine says what the servers ran on, in a line.
func MachineLine(m record.Machine) string {
	var facts []string
	if m.Cores > 0 {
		facts = append(facts, english.Plural(m.Cores, "core", ""))
	}
	if m.MemoryBytes > 0 {
		facts = append(facts, fmt.Sprintf("%.0f GB", float64(m.MemoryBytes)/1e9))
	}
	if m.CPULevel != "" {
		facts = append(facts, m.CPULevel)
	}
	if m.GPU != "" {
		facts = append(facts, m.GPU)
	}
	if m.Threads > 0 {
		facts = append(facts, english.Plural(m.Threads, "thread", "")+" a server")
	}
	return withFacts(m.CPU, facts)
}

func withFacts(name string, facts []string) string {
	switch {
	case len(facts) == 0:
		return name
	case name == "":
		return strings.Join(facts, ", ")
	}
	return name + " (" + strings.Join(facts, ", ") + ")"
}

// Shared is a text with the names of which it holds.
type Shared struct {
	Text  string
	Names []string
}

// Fold lists each text once, in the order of its first appearance; texts[i] is of
// names[i], and an empty one is left out.
func Fold(names, texts []string) []Shared {
	var list []Shared
	for i, text := range texts {
		at := slices.IndexFunc(list, func(s Shared) bool { return s.Text == text })
		switch {
		case text == "":
		case at < 0:
			list = append(list, Shared{text, names[i : i+1 : i+1]})
		default:
			list[at].Names = append(list[at].Names, names[i])
		}
	}
	return list
}

// OneLine puts single blanks for all white space.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// List joins words as a sentence does: "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Capital begins a text with a capital letter.
func Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// WarningLine is a warning with what to do, in a line.
func WarningLine(w record.Warning) string { return OneLine(w.String()) }

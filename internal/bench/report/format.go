package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

const unknown = "–"

// number writes three significant digits, all digits of whole thousands, and
// commas between them: 0.0123, 1.23, 12.3, 123, 12,345.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return unknown
	case size >= 99.95:
		return grouped(int64(math.Round(v)))
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

// grouped puts commas between thousands.
func grouped(n int64) string {
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

// interval writes an estimate's ends, nothing for a lone value.
func interval(e stat.Estimate) string {
	if !e.Known() || e.N < 2 {
		return ""
	}
	return number(e.Lo) + "–" + number(e.Hi)
}

// withInterval writes "123 [120–126]".
func withInterval(e stat.Estimate) string {
	if text := interval(e); text != "" {
		return number(e.Value) + " [" + text + "]"
	}
	return number(e.Value)
}

// cosine writes five digits, and never rounds up to a perfect 1.
func cosine(a record.Agreement) string {
	if a.Texts == 0 {
		return "not checked"
	}
	return strconv.FormatFloat(math.Floor(a.MinCosine*1e5)/1e5, 'f', 5, 64)
}

func modelLine(m record.Model) string {
	line := m.Name
	if m.Revision != "" {
		line += "@" + m.Revision[:min(12, len(m.Revision))]
	}
	var facts []string
	if m.DType != "" {
		facts = append(facts, m.DType)
	}
	if m.Dim > 0 {
		facts = append(facts, fmt.Sprintf("%d dimensions", m.Dim))
	}
	return withFacts(line, facts)
}

func dataLine(d record.Data) string {
	var facts []string
	if d.Texts > 0 {
		facts = append(facts, grouped(int64(d.Texts))+" texts")
	}
	if d.MeanChars > 0 {
		facts = append(facts, number(d.MeanChars)+" characters")
	}
	if d.MeanTokens > 0 {
		facts = append(facts, number(d.MeanTokens)+" tokens on average")
	}
	return withFacts(d.Source, facts)
}

func machineLine(m record.Machine) string {
	facts := []string{fmt.Sprintf("%d cores", m.Cores)}
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
		facts = append(facts, fmt.Sprintf("%d threads a server", m.Threads))
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

// shared is a text with the names of which it holds.
type shared struct {
	text  string
	names []string
}

// fold lists each text once, in the order of its first appearance; texts[i] is of
// names[i], and an empty one is left out.
func fold(names, texts []string) []shared {
	var list []shared
	for i, text := range texts {
		at := slices.IndexFunc(list, func(s shared) bool { return s.text == text })
		switch {
		case text == "":
		case at < 0:
			list = append(list, shared{text, names[i : i+1 : i+1]})
		default:
			list[at].names = append(list[at].names, names[i])
		}
	}
	return list
}

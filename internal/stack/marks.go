package stack

import (
	"maps"
	"regexp"
	"slices"
)

// marks are the places in commands and environments that values are put into.
var marks = regexp.MustCompile(`\{([a-z_.]+)\}`)

// fill replaces each mark that has a value and leaves the others, which are for
// those who know the ports.
func fill(text string, values map[string]string) string {
	return marks.ReplaceAllStringFunc(text, func(mark string) string {
		if value, known := values[mark[1:len(mark)-1]]; known {
			return value
		}
		return mark
	})
}

func fillAll(texts []string, values map[string]string) []string {
	filled := make([]string, len(texts))
	for i, text := range texts {
		filled[i] = fill(text, values)
	}
	return filled
}

// fillEnvironment gives NAME=value entries, sorted.
func fillEnvironment(environment map[string]string, values map[string]string) []string {
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		entries = append(entries, name+"="+fill(environment[name], values))
	}
	return entries
}

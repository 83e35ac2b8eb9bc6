package table

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func wide() *Table {
	t := &Table{Columns: []Column{{Name: "Stack"}, {"Throughput", "embeddings/s"}, {"Latency", "ms"}, {"Memory", "MB"}}}
	t.Rows = [][]Entry{
		{{Text: "paceline/vllm"}, {Text: "1,234", Interval: "1,200–1,300"}, {Text: "12.5"}, {Text: "99"}},
		{{Text: "broken"}, {Text: "failed: a reason that is much longer than any terminal is wide", Span: true}},
	}
	return t
}

// TestNarrow: every width is kept, each part names its rows, nothing is lost, and a
// table that wants it becomes blocks instead.
func TestNarrow(t *testing.T) {
	t.Parallel()
	for _, width := range []int{28, 40, 60, 80, 0} {
		var b strings.Builder
		wide().WriteText(&b, Terminal{Width: width})
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 0 && n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
		for _, want := range []string{"1,234", "1,200–1,300", "12.5", "99", "embeddings/s"} {
			if strings.Count(b.String(), want) != 1 {
				t.Errorf("width %d: %q is there %d times\n%s", width, want, strings.Count(b.String(), want), b.String())
			}
		}
		if parts := strings.Count(b.String(), "paceline/vllm"); (width == 40) != (parts == 2) {
			t.Errorf("width %d: %d parts\n%s", width, parts, b.String())
		}
		if said := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(said, "failed: a reason that is much longer than any terminal is wide") {
			t.Errorf("width %d: the reason is cut\n%s", width, b.String())
		}
	}
	blocks := wide()
	blocks.Blocks = true
	var b strings.Builder
	if blocks.WriteText(&b, Terminal{Width: 40}); strings.Count(b.String(), "paceline/vllm") != 1 {
		t.Errorf("not blocks:\n%s", b.String())
	}
}

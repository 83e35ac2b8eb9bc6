package format

import (
	"math"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 0.5: "0.500", 1.5e-9: "1.50e-09", 0.01234: "0.0123", 0.9994: "0.999", 0.9996: "1.00", 1.234: "1.23", 9.994: "9.99", 9.996: "10.0", 12.34: "12.3",
		99.94: "99.9", 99.96: "100", 1234.4: "1,234", 1234567: "1,234,567", -1234: "-1,234", math.NaN(): "–", math.Inf(1): "–",
	} {
		if got := Number(v); got != want {
			t.Errorf("number(%v) = %s, want %s", v, got, want)
		}
	}
	if got := Cosine(record.Agreement{Texts: 1, MinCosine: 0.999999}); got != "0.99999" {
		t.Errorf("a cosine below 1 is printed as %s", got)
	}
}

// TestLinesCount: one of a thing is not several.
func TestLinesCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{MachineLine(record.Machine{CPU: "Some CPU", Cores: 1, Threads: 1}), "Some CPU (1 core, 1 thread a server)"},
		{MachineLine(record.Machine{CPU: "Some CPU", Cores: 2, Threads: 2}), "Some CPU (2 cores, 2 threads a server)"},
		{DataLine(record.Data{Source: "lines", Texts: 1}), "lines (1 text)"},
		{DataLine(record.Data{Source: "lines", Texts: 12345}), "lines (12,345 texts)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

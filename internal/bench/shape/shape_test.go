package shape

import (
	"math"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"batch=1:0.7,8:0.2,32:0.1":     "batch=1:0.7,8:0.2,32:0.1",
		"chars=50,500":                 "chars=50:1,500:1",
		"batch=1:3, 8:1,chars=2000:.5": "batch=1:3,8:1,chars=2000:0.5",
	} {
		m, err := Parse(text)
		if err != nil || m.String() != want || !m.Given() {
			t.Errorf("%q became %q, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "1:2", "batch=", "batch=0", "batch=1:0", "batch=1:-1", "batch=1:NaN", "batch=70000", "batch=1,1", "size=4", "batch=x:1", "chars=1:1:1"} {
		if m, err := Parse(text); err == nil {
			t.Errorf("%q was taken as %q", text, m)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("batch=1:0.7,8:0.2,chars=50:1")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(m.String())
		if err != nil || again.String() != m.String() {
			t.Fatalf("%q, then %q: %v", m, again, err)
		}
	})
}

// TestDraw: the shares come out within four standard deviations, the same from the
// same seed.
func TestDraw(t *testing.T) {
	t.Parallel()
	m, err := Parse("batch=1:7,8:2,32:1,chars=50:1,500:3")
	if err != nil {
		t.Fatal(err)
	}
	const n = 20000
	shapes := m.Draw(n, 0, 5)
	for _, c := range []struct {
		share float64
		is    func(Shape) bool
	}{
		{0.7, func(s Shape) bool { return s.Texts == 1 }},
		{0.2, func(s Shape) bool { return s.Texts == 8 }},
		{0.1, func(s Shape) bool { return s.Texts == 32 }},
		{0.25, func(s Shape) bool { return s.Chars == 50 }},
		{0.075, func(s Shape) bool { return s.Texts == 32 && s.Chars == 500 }},
	} {
		count := 0.0
		for _, s := range shapes {
			if c.is(s) {
				count++
			}
		}
		if math.Abs(count/n-c.share) > 4*math.Sqrt(c.share*(1-c.share)/n) {
			t.Errorf("share %.4f, want %g", count/n, c.share)
		}
	}
	if !slices.Equal(shapes, m.Draw(n, 0, 5)) || slices.Equal(shapes, m.Draw(n, 0, 6)) {
		t.Error("not a function of the seed")
	}
	if mean := m.MeanTexts(0); math.Abs(mean-5.5) > 1e-12 {
		t.Errorf("mean %g texts", mean)
	}
	if got := (Mix{}).Draw(2, 4, 0); got[0] != (Shape{4, 0}) || (Mix{}).Given() {
		t.Errorf("no mix: %v", got)
	}
}

package load

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, text string) Arrivals {
	t.Helper()
	a, err := ParseArrivals(text)
	if err != nil {
		t.Fatal(err)
	}
	if a.String() != text && text != "bursts" {
		t.Errorf("%q became %q", text, a)
	}
	return a
}

// TestArrivals holds each process to its law: the mean rate, and the spread of the
// counts by tenths of a second as the index of dispersion (variance over mean),
// which is 0 for constant arrivals, 1 for Poisson's, and for bursts of a
// geometric size N: E[N²]/E[N] = 2 mean - 1.
func TestArrivals(t *testing.T) {
	t.Parallel()
	for text, dispersion := range map[string]float64{"constant": 0, "poisson": 1, "bursts:1": 1, "bursts:4": 7, "bursts": 15} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			a := parse(t, text)
			times := schedule(t, a, 1000, 400*time.Second, 1)
			if !slices.IsSorted(times) || times[0] < 0 || times[len(times)-1] >= 400*time.Second {
				t.Error("not ascending within the duration")
			}
			if n := float64(len(times)); math.Abs(n-400e3) > 4*math.Sqrt(max(dispersion, 1e-9)*400e3)+1 {
				t.Errorf("%v arrivals in 400 s at 1000/s", n)
			}
			if got := dispersionOf(times, 100*time.Millisecond, 4000); math.Abs(got-dispersion) > 0.12*dispersion+0.01 {
				t.Errorf("index of dispersion %.2f, want %.2f", got, dispersion)
			}
			if !slices.Equal(times, schedule(t, a, 1000, 400*time.Second, 1)) {
				t.Error("one seed, two schedules")
			}
			if text != "constant" && slices.Equal(times, schedule(t, a, 1000, 400*time.Second, 2)) {
				t.Error("two seeds, one schedule")
			}
		})
	}
	ms := time.Millisecond
	if got, want := schedule(t, ConstantArrivals, 4, time.Second, 0), []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}; !slices.Equal(got, want) {
		t.Errorf("constant %v, want %v", got, want)
	}
}

func dispersionOf(times []time.Duration, window time.Duration, windows int) float64 {
	counts := make([]float64, windows)
	for _, at := range times {
		counts[at/window]++
	}
	var sum, squares float64
	for _, c := range counts {
		sum, squares = sum+c, squares+c*c
	}
	mean := sum / float64(windows)
	return (squares/float64(windows) - mean*mean) / mean
}

// TestPoissonDistances: exponential distances have a standard deviation of their
// mean.
func TestPoissonDistances(t *testing.T) {
	t.Parallel()
	times := schedule(t, PoissonArrivals, 1000, 20*time.Second, 1)
	var sum, squares float64
	for i := 1; i < len(times); i++ {
		d := (times[i] - times[i-1]).Seconds()
		sum, squares = sum+d, squares+d*d
	}
	mean := sum / float64(len(times)-1)
	if deviation := math.Sqrt(squares/float64(len(times)-1) - mean*mean); math.Abs(deviation/mean-1) > 0.05 {
		t.Errorf("distances: mean %g, standard deviation %g", mean, deviation)
	}
}

func TestRefusedArrivals(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "uniform", "constant:3", "bursts:0", "bursts:x", "bursts:NaN", "trace", "trace:", "trace:/no/such/file"} {
		if _, err := ParseArrivals(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	for _, rate := range []float64{0, -1, math.NaN(), math.Inf(1), 1e9} {
		if _, err := PoissonArrivals.Schedule(rate, time.Minute, 0); err == nil {
			t.Errorf("a rate of %g was scheduled", rate)
		}
	}
}

// TestTraces: the public forms, each with the same three requests a quarter and
// three quarters of a second after the first.
func TestTraces(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for name, c := range map[string]struct {
		text string
		want []Recorded
	}{
		"seconds": {"0\n0.25\n1\n", []Recorded{{0, 0, 0}, {250 * ms, 0, 0}, {time.Second, 0, 0}}},
		"csv, out of order, with sizes": {"timestamp,batch_size,chars\n6,1,90\n5,8,20\n5.25,1,30\n",
			[]Recorded{{0, 8, 20}, {250 * ms, 1, 30}, {time.Second, 1, 90}}},
		"Azure's": {"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,68,44\n2023-11-16 18:17:04.2299600,0,9\n2023-11-16 18:17:04.9799600,136,1\n",
			[]Recorded{{0, 0, 336}, {250 * ms, 0, 0}, {time.Second, 0, 672}}},
		"BurstGPT's": {"Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,68,18,90,Conversation log\n5.25,GPT-4,0,1,1,x\n6,GPT-4,0,1,1,x\n",
			[]Recorded{{0, 0, 336}, {250 * ms, 0, 0}, {time.Second, 0, 0}}},
		"Mooncake's": {`{"timestamp": 100, "input_length": 68, "output_length": 52, "hash_ids": [46, 47]}` + "\n" + `{"timestamp": 350, "texts": 3, "chars": 7}` + "\n" + `{"timestamp": 1100}`,
			[]Recorded{{0, 0, 336}, {250 * ms, 3, 7}, {time.Second, 0, 0}}},
	} {
		trace, err := parseTrace(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(trace.Requests, c.want) {
			t.Errorf("%s: %v, want %v", name, trace.Requests, c.want)
		}
		if trace.Rate() != 2 {
			t.Errorf("%s: %g requests/s", name, trace.Rate())
		}
		a := Arrivals{kind: recorded, trace: trace}
		want := []time.Duration{0, 250 * ms, 1000 * ms, 1500 * ms, 1750 * ms, 2500 * ms}
		if got := schedule(t, a, 0, 3*time.Second, 9); !slices.Equal(got, want) {
			t.Errorf("%s: replayed at %v, want %v", name, got, want)
		}
		if got := schedule(t, a, 4, 1500*ms, 9); len(got) != 6 || got[5] != 1250*ms {
			t.Errorf("%s: replayed at twice its rate: %v", name, got)
		}
	}
}

var badTraces = []string{
	"", "\n\n", "5\n", "5\n5\n", "a,b\n1,2\n", "-1\n4\n", "NaN\n1\n", "1e300\n2\n", "timestamp\nyesterday\n1\n",
	`{"timestamp": "x"}`, `{"texts": 1}`, "{", `{"timestamp": 1}` + "\n5", "timestamp,texts\n1,-4\n2,1\n", "timestamp,chars\n1,NaN\n2,1\n", "\"",
	`{"timestamp":1,"input_length":1e300}` + `{"timestamp":2}`,
}

func TestBadTraces(t *testing.T) {
	t.Parallel()
	for _, text := range badTraces {
		if trace, err := parseTrace(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken: %v", text, trace)
		}
	}
}

// FuzzTrace: whatever is accepted can be replayed.
func FuzzTrace(f *testing.F) {
	for _, text := range append(badTraces, "0\n0.25\n1\n", "timestamp,texts\n1,2\n3,4\n", `{"timestamp": 100}{"timestamp": 101}`) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := parseTrace(strings.NewReader(text))
		if err != nil {
			return
		}
		times, err := Arrivals{kind: recorded, trace: trace}.Schedule(100, time.Second, 0)
		if err != nil || !slices.IsSorted(times) {
			t.Fatalf("%v: %v", err, times)
		}
		for _, r := range trace.Requests {
			if r.At < 0 || r.Texts < 0 || r.Chars < 0 {
				t.Fatalf("%+v", r)
			}
		}
	})
}

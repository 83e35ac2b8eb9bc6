package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestMinSamplesIsMLPerfTable holds the counts that MLPerf publishes.
func TestMinSamplesIsMLPerfTable(t *testing.T) {
	t.Parallel()
	for p, want := range map[float64]int{0.5: 11, 0.9: 64, 0.95: 130, 0.99: 662, 0.999: 6636} {
		if got := MinSamples(p); got != want {
			t.Errorf("MinSamples(%v) = %d, want %d", p, got, want)
		}
	}
}

func TestHighestCertified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    int
		want float64
		got  float64
		ok   bool
	}{
		{10, 0.99, 0, false},
		{11, 0.99, 0.5, true},
		{129, 0.95, 0.9, true},
		{130, 0.95, 0.95, true},
		{10000, 0.95, 0.95, true},
		{10000, 0.999, 0.999, true},
	} {
		if got, ok := HighestCertified(c.n, c.want); got != c.got || ok != c.ok {
			t.Errorf("HighestCertified(%d, %v) = %v, %v, want %v, %v", c.n, c.want, got, ok, c.got, c.ok)
		}
	}
}

func TestNothingToEstimate(t *testing.T) {
	t.Parallel()
	if Median(nil).Known() || Ratio(nil, []float64{1}).Known() || Ratio([]float64{1}, []float64{0}).Known() {
		t.Error("an estimate of nothing is known")
	}
	if !math.IsNaN(Percentile(nil, 0.5)) {
		t.Error("a percentile of nothing is a number")
	}
	if _, p := MannWhitney(nil, []float64{1}); p != 1 {
		t.Errorf("nothing differs from something: p = %v", p)
	}
	if MannKendall([]float64{1, 2, 3}).Found() {
		t.Error("three windows show a trend")
	}
	if one := Median([]float64{7}); one.Level != 0 || one.Lo != 7 || one.Hi != 7 {
		t.Errorf("one value has an interval: %+v", one)
	}
}

// TestDiffersNeedsEvidence: complete separation of four and four is evidence,
// of three and three is not (the least two-sided p is 0.1).
func TestDiffersNeedsEvidence(t *testing.T) {
	t.Parallel()
	if !Differs([]float64{10, 11, 12, 13}, []float64{1, 2, 3, 4}) {
		t.Error("four against four, wholly apart, are not told apart")
	}
	if Differs([]float64{10, 11, 12}, []float64{1, 2, 3}) {
		t.Error("three against three are told apart")
	}
	if Differs([]float64{1, 3, 5, 7, 9}, []float64{2, 4, 6, 8, 10}) {
		t.Error("interleaved samples are told apart")
	}
}

// TestDiffersErrsAsRarelyAsItSays: pairs of runs of one stack are told apart in
// less than 5 %; runs a fifth apart, at 3 % noise, in more than 95 %.
func TestDiffersErrsAsRarelyAsItSays(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	const pairs = 2000
	for _, repeats := range []int{5, 10} {
		told := map[float64]int{}
		for _, factor := range []float64{1, 1.2} {
			for range pairs {
				a := draw(repeats, func() float64 { return 100 + 3*random.NormFloat64() })
				b := draw(repeats, func() float64 { return factor * (100 + 3*random.NormFloat64()) })
				if Differs(a, b) {
					told[factor]++
				}
			}
		}
		t.Logf("%d repeats: %d of %d alike pairs and %d unlike ones told apart", repeats, told[1], pairs, told[1.2])
		if told[1] > pairs*5/100 || told[1.2] < pairs*95/100 {
			t.Errorf("%d repeats: of %d pairs, %d alike and %d unlike are told apart", repeats, pairs, told[1], told[1.2])
		}
	}
}

// TestSeparable: the exact test of samples wholly apart is the truth.
func TestSeparable(t *testing.T) {
	t.Parallel()
	for n1 := range 12 {
		for n2 := range 12 {
			a, b := oneTo(n1), make([]float64, n2)
			if _, p := MannWhitney(a, b); Separable(n1, n2) != (p <= Significance) {
				t.Errorf("%d and %d: Separable %v, p %v", n1, n2, Separable(n1, n2), p)
			}
		}
	}
}

func TestMannWhitneyMirrors(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 20), func(i int) float64 { return float64(i) }), 1, 12)
		a, b := sample.Draw(t, "a"), sample.Draw(t, "b")
		u, p := MannWhitney(a, b)
		mirrored, q := MannWhitney(b, a)
		if math.Abs(p-q) > 1e-12 || u+mirrored != float64(len(a)*len(b)) {
			t.Fatalf("U %v and %v, p %v and %v", u, mirrored, p, q)
		}
	})
}

func TestMedianHoldsItsLevel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{5, 6, 10, 21} {
		level, held := 0.0, 0
		const runs = 4000
		for range runs {
			e := Median(draw(n, random.ExpFloat64))
			level = e.Level
			if e.Lo <= math.Ln2 && math.Ln2 <= e.Hi { // the median of the exponential law
				held++
			}
		}
		share := float64(held) / runs
		if tolerance := 4 * math.Sqrt(level*(1-level)/runs); math.Abs(share-level) > tolerance {
			t.Errorf("%d values: the interval held the median in %.4f of the runs, said %.4f", n, share, level)
		}
	}
}

// TestSteadyServersPassDriftingOnesFail simulates 200 servers of each kind over
// 20 windows with noise of 3 %. A drift of 30 % is seen in all but 5 % of the
// runs. Independent noise passes for a drift in at most 5 %; noise of which half
// is carried to the next window, in at most 15 %: on so short a series Hamed and
// Rao's correction is incomplete, for pymannkendall as for us.
func TestSteadyServersPassDriftingOnesFail(t *testing.T) {
	t.Parallel()
	const runs, windows = 200, 20
	for _, c := range []struct {
		name          string
		drift, memory float64
		atLeast, most int
	}{
		{"white noise", 0, 0, 0, runs / 20},
		{"correlated noise", 0, 0.5, 0, runs * 15 / 100},
		{"drift", -0.30, 0, runs * 19 / 20, runs},
		{"drift in correlated noise", -0.30, 0.5, runs * 19 / 20, runs},
	} {
		random := rand.New(rand.NewPCG(3, 4))
		found := 0
		for range runs {
			if MannKendall(server(random, windows, c.drift, c.memory)).Found() {
				found++
			}
		}
		t.Logf("%s: a trend in %d of %d", c.name, found, runs)
		if found < c.atLeast || found > c.most {
			t.Errorf("%s: a trend in %d of %d runs, want %d to %d", c.name, found, runs, c.atLeast, c.most)
		}
	}
}

// server is the throughput of a server whose level moves by drift over the run,
// with noise of 3 % of which a share memory is carried to the next window.
func server(random *rand.Rand, windows int, drift, memory float64) []float64 {
	values := make([]float64, windows)
	noise := 0.0
	for i := range values {
		noise = memory*noise + math.Sqrt(1-memory*memory)*0.03*random.NormFloat64()
		values[i] = 1000 * (1 + drift*float64(i)/float64(windows-1) + noise)
	}
	return values
}

// TestTrendBelowTheFloor: a rise of 3 %, however regular, is no drift.
func TestTrendBelowTheFloor(t *testing.T) {
	t.Parallel()
	for rise, want := range map[float64]bool{0.03: false, 0.08: true} {
		values := oneTo(30)
		for i := range values {
			values[i] = 100 + 100*rise*values[i]/30
		}
		got := MannKendall(values)
		if got.P > Significance || got.Found() != want {
			t.Errorf("a rise of %v: %+v, found %v, want %v", rise, got, got.Found(), want)
		}
	}
}

// TestMannKendallSurvivesNegativeCorrection: a strictly alternating series drives
// Hamed and Rao's factor below zero, where a square root would be no number.
func TestMannKendallSurvivesNegativeCorrection(t *testing.T) {
	t.Parallel()
	got := MannKendall([]float64{1, 9, 2, 8, 1.5, 9.5, 2.5, 8.5, 1.2, 9.2})
	if math.IsNaN(got.P) || got.Correction <= 0 || got.Found() {
		t.Errorf("%+v", got)
	}
	if constant := MannKendall(make([]float64, 10)); constant.P != 1 || constant.Change != 0 {
		t.Errorf("a constant series: %+v", constant)
	}
}

// TestLargeSamplesMeet: at the border between counting out and approximating,
// both say nearly the same.
func TestLargeSamplesMeet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	a, b := draw(20, random.Float64), draw(20, func() float64 { return random.Float64() + 0.2 })
	u, exact := MannWhitney(a, b)
	approximate := approximateP(doubledRanks(slices.Concat(a, b)), len(a), u)
	if math.Abs(exact-approximate) > 0.1*exact {
		t.Errorf("exact %v, approximate %v", exact, approximate)
	}
}

func TestArgumentsStayAsTheyWere(t *testing.T) {
	t.Parallel()
	a, b := []float64{3, 1, 2, 9}, []float64{5, 4, 8, 7}
	keep := slices.Concat(a, b)
	Median(a)
	MannWhitney(a, b)
	Ratio(a, b)
	MannKendall(a)
	Spearman(a, b)
	if got := slices.Concat(a, b); !slices.Equal(got, keep) {
		t.Errorf("%v became %v", keep, got)
	}
}

func TestCosine(t *testing.T) {
	t.Parallel()
	if got := Cosine([]float32{3, 4}, []float32{30, 40}); math.Abs(got-1) > 1e-12 {
		t.Errorf("parallel vectors of other lengths: %v", got)
	}
	if got := Cosine([]float32{1, 0}, []float32{0, 2}); got != 0 {
		t.Errorf("perpendicular vectors: %v", got)
	}
	if !math.IsNaN(Cosine([]float32{0}, []float32{1})) || !math.IsNaN(Cosine([]float32{1}, []float32{1, 2})) {
		t.Error("a cosine where there is none")
	}
}

func draw(n int, law func() float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = law()
	}
	return values
}

package cpu_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/paceline/paceline"
	"github.com/paceline/paceline/internal/bench/stat"
	"github.com/paceline/paceline/internal/kernel"
)

// TestQuality holds every arithmetic to what it promises on STS-B's test set and
// all-MiniLM-L6-v2: how far vectors turn from those of float32, and how far the rank
// correlation with what people judged moves from 82.03.
func TestQuality(t *testing.T) {
	t.Parallel()
	pairs := readPairs(t)
	dir := os.Getenv("PACELINE_TEST_MODEL")
	if dir == "" {
		t.Skip("no real weights: set PACELINE_TEST_MODEL to a folder that holds all-MiniLM-L6-v2's files")
	}
	reference := embedPairs(t, dir, pairs, kernel.Float32)
	if s := pairs.spearman(reference); math.Abs(s-82.03) > 0.01 {
		t.Errorf("float32: Spearman %.3f; want 82.03", s)
	}
	set, err := kernel.Open("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dtype             kernel.DType
		mean, least, move float64
	}{
		{kernel.BFloat16, 0.9999, 0.9995, 0.1},
		{kernel.Int16, 0.9999, 0.9995, 0.1},
		{kernel.Int8, 0.997, 0.985, 0.3},
	} {
		if set.Level() == kernel.Generic || !slices.Contains(set.DTypes(), c.dtype) {
			t.Logf("%s: not at level %s", c.dtype, set.Level())
			continue
		}
		vectors := embedPairs(t, dir, pairs, c.dtype)
		mean, least := cosines(vectors, reference)
		spearman := pairs.spearman(vectors)
		t.Logf("%s: cosine to float32 mean %.6f, least %.6f; Spearman %.3f", c.dtype, mean, least, spearman)
		if !(mean >= c.mean && least >= c.least && math.Abs(spearman-82.03) <= c.move) {
			t.Errorf("%s promises mean %v, least %v, Spearman within %v of 82.03", c.dtype, c.mean, c.least, c.move)
		}
	}
}

// judged is pairs of sentences with how alike people found them: first[i], second[i].
type judged struct {
	texts  []string // first and second of a pair side by side
	scores []float64
}

func readPairs(t *testing.T) judged {
	t.Helper()
	root := cmp.Or(os.Getenv("PACELINE_SHARED"), filepath.Join("..", "..", "..", "..", "shared"))
	file, err := os.Open(filepath.Join(root, "data", "stsb", "stsb-en-test.csv"))
	if err != nil {
		t.Skipf("no STS-B: set PACELINE_SHARED to the folder that holds data/stsb (%v)", err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var j judged
	for _, row := range rows {
		score, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		j.texts, j.scores = append(j.texts, row[0], row[1]), append(j.scores, score)
	}
	return j
}

func embedPairs(t *testing.T, dir string, pairs judged, dtype kernel.DType) [][]float32 {
	t.Helper()
	m, err := paceline.Open(context.Background(), dir, paceline.WithDType(string(dtype)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var vectors [][]float32
	for texts := range slices.Chunk(pairs.texts, 256) {
		part, err := m.Embed(context.Background(), texts, paceline.WithNormalize(true))
		if err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, part...)
	}
	return vectors
}

// cosines compares vectors of length 1.
func cosines(a, b [][]float32) (mean, least float64) {
	least = 1
	for i := range a {
		c := cosine(a[i], b[i])
		mean, least = mean+c/float64(len(a)), min(least, c)
	}
	return mean, least
}

func cosine(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// spearman is the rank correlation of the pairs' cosines with their scores, times 100.
func (j judged) spearman(vectors [][]float32) float64 {
	alike := make([]float64, len(j.scores))
	for i := range alike {
		alike[i] = cosine(vectors[2*i], vectors[2*i+1])
	}
	return 100 * stat.Spearman(alike, j.scores)
}

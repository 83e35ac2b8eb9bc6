package paceline_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/paceline/paceline"
	"github.com/paceline/paceline/internal/bench/stat"
)

// TestQuality holds the real models that this machine has to sentence-transformers'
// figures on STS-B's test pairs: the rank correlation, times 100, of people's scores
// with the vectors' cosines. It embeds 2,758 sentences a model, minutes on two cores.
func TestQuality(t *testing.T) {
	if os.Getenv("PACELINE_TEST_QUALITY") == "" {
		t.Skip("set PACELINE_TEST_QUALITY=1 to spend some minutes on STS-B")
	}
	firsts, seconds, scores := readSTSB(t)
	for name, want := range map[string]float64{"all-MiniLM-L6-v2": 82.03, "all-mpnet-base-v2": 83.42, "bge-small-en-v1.5": 85.86, "e5-small-v2": 84.92} {
		t.Run(name, func(t *testing.T) {
			m := open(t, realModel(t, name))
			a, b := embed(t, m, firsts), embed(t, m, seconds)
			cosines := make([]float64, len(scores))
			for i := range cosines {
				cosines[i] = float64(paceline.Dot(a[i], b[i]))
			}
			if got := 100 * stat.Spearman(cosines, scores); !(math.Abs(got-want) < 0.01) {
				t.Errorf("Spearman %.3f, want %.2f", got, want)
			}
		})
	}
}

func readSTSB(t *testing.T) (firsts, seconds []string, scores []float64) {
	t.Helper()
	file, err := os.Open(filepath.Join(shared(t), "..", "data", "stsb", "stsb-en-test.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != 1379 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		score, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		firsts, seconds, scores = append(firsts, row[0]), append(seconds, row[1]), append(scores, score)
	}
	return firsts, seconds, scores
}

package token

import (
	"fmt"
	"testing"

	"github.com/paceline/paceline/internal/dataset"
)

// BenchmarkAppendIDs times English of 12 and 128 tokens on one core. test/differential/speed.py prints the figure of the
// `tokenizers` library for the same texts.
func BenchmarkAppendIDs(b *testing.B) {
	tok := mustParse(b, modelTokenizer(b))
	for _, tokens := range []int{12, 128} {
		texts := dataset.SynthTokens(1, 256, tokens).Texts
		b.Run(fmt.Sprintf("tokens=%d", tokens), func(b *testing.B) {
			b.ReportAllocs()
			ids := make([]int32, 0, 512)
			bytes, i := 0, 0
			for b.Loop() {
				text := texts[i%len(texts)]
				ids, _ = tok.AppendIDs(ids[:0], text, Options{Special: true})
				bytes += len(text)
				i++
			}
			b.SetBytes(int64(bytes / i))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i*tokens), "ns/token")
		})
	}
}

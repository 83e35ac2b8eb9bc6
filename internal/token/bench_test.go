package token

import (
	"fmt"
	"testing"

	"github.com/paceline/paceline/internal/dataset"
)

// BenchmarkAppendIDs times English of 12 and 128 tokens (of all-MiniLM-L6-v2) on one core.
// test/differential/speed.py has the comparison with the `tokenizers` library.
func BenchmarkAppendIDs(b *testing.B) {
	b.Run("minilm", func(b *testing.B) { benchmarkAppendIDs(b, modelTokenizer(b)) })
	for _, name := range families {
		b.Run("tiny-"+name, func(b *testing.B) { benchmarkAppendIDs(b, readFamily(b, name).Tokenizer) })
	}
	for _, name := range []string{"qwen3", "gemma3"} {
		b.Run(name, func(b *testing.B) { benchmarkAppendIDs(b, realTokenizer(b, name)) })
	}
}

func benchmarkAppendIDs(b *testing.B, data []byte) {
	tok := mustParse(b, data)
	for _, tokens := range []int{12, 128} {
		texts := dataset.SynthTokens(1, 256, tokens).Texts
		b.Run(fmt.Sprintf("tokens=%d", tokens), func(b *testing.B) {
			b.ReportAllocs()
			ids := make([]int32, 0, 4096)
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

// BenchmarkParse times reading a tokenizer.json, as a server does when it starts.
func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"qwen3", "gemma3"} {
		b.Run(name, func(b *testing.B) {
			data := realTokenizer(b, name)
			for b.Loop() {
				mustParse(b, data)
			}
		})
	}
}

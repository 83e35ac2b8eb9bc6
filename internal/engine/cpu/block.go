package cpu

import "github.com/paceline/paceline/internal/model"

// blockTokens is how many tokens a block has at most, unless one sequence alone is
// longer: enough rows that every panel of weights, once in the near cache, is used
// often; few enough that a block's activations stay in the second-level cache.
const blockTokens = 256

// leastTokens is how few tokens are worth a worker of their own, beside one whose
// team they could be: below it, reading all the weights again costs more than a team's
// steps do. Weights beyond what caches hold are dearer to read.
const (
	leastTokens      = 32
	leastTokensLarge = 64
	largeWeights     = 64 << 20
)

// leastFor is that of a model whose packed weights take so many bytes.
func leastFor(weights int64) int {
	if weights > largeWeights {
		return leastTokensLarge
	}
	return leastTokens
}

// block is a range of a batch's sequences: first, …, last-1.
type block struct{ first, last int }

// cut divides a batch into blocks of about equal size, no fewer than there are
// workers where each gets least tokens. It reuses the memory of blocks.
func cut(blocks []block, b *model.Batch, workers, least int) []block {
	total := int(b.Starts[b.Len()])
	n := max(ceilDiv(total, blockTokens), min(workers, total/least), 1)
	target := ceilDiv(total, n)
	blocks = blocks[:0]
	for first := 0; first < b.Len(); {
		last := first + 1
		for last < b.Len() && int(b.Starts[last+1]-b.Starts[first]) <= target {
			last++
		}
		blocks = append(blocks, block{first, last})
		first = last
	}
	return blocks
}

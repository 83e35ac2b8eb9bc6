package tei

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// decodeRoot reads a body at / or at SageMaker's /invocations, which take what the
// model is for: a reranker's texts, a classifier's inputs, or inputs to embed.
// Hugging Face's client posts sentences to compare there, too.
func decodeRoot(c *dialect.Call) (*dialect.Request, error) {
	switch {
	case hasTextList(c.Body):
		return decodeRerank(c)
	case hasSentences(c.Body):
		return decodeSimilarity(c)
	}
	return byHead(
		func() (*dialect.Request, error) { return decodeEmbed(c) },
		func() (*dialect.Request, error) { return decodeEmbedSparse(c) },
		func() (*dialect.Request, error) { return decodePredict(c) },
	)
}

// byHead reads a body in each of the ways that it may be meant, and leaves the
// choice to the model, which may not be open yet.
func byHead(embed, sparse, predict func() (*dialect.Request, error)) (*dialect.Request, error) {
	vectors, wrong := embed()
	weights, _ := sparse() // the same inputs
	scores, noScores := predict()
	if wrong != nil && noScores != nil {
		return nil, wrong
	}
	r := &dialect.Request{Inputs: []dialect.Input{{}}}
	if wrong == nil {
		*r = *vectors
	} else {
		*r = *scores
	}
	r.Adapt = []func(*dialect.Info) error{func(i *dialect.Info) error {
		chosen, err := vectors, wrong
		switch i.Head {
		case dialect.Splade:
			chosen = weights
		case dialect.Classifier, dialect.Reranker:
			chosen, err = scores, noScores
		}
		if err != nil {
			return err
		}
		return r.Become(chosen, i)
	}}
	return r, nil
}

func hasListedInputs(b *wire.Body) bool {
	v, ok := b.Get("inputs")
	return ok && v.Kind() != '{'
}

func hasSentences(b *wire.Body) bool {
	v, ok := b.Get("inputs")
	return ok && v.Kind() == '{'
}

func hasTextList(b *wire.Body) bool { return b.Has("texts") }

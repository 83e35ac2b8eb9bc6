// Package quality says what vectors are worth: how well their cosines follow human
// scores of sentence pairs (STS Benchmark), and how well they find the documents
// that people judged to answer queries (a collection in BEIR layout).
//
// It knows no service and sends nothing: it names texts by number and takes their
// vectors, in order. Invariants: what a sitting keeps is bounded by the queries and
// the sentences, never by the documents; texts without a character are not asked,
// since services refuse them, and count as not found.
package quality

import (
	"math"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
	"github.com/paceline/paceline/internal/dataset"
)

// Exam is what every stack is asked. It does not change.
type Exam struct {
	pairs      *dataset.Pairs     // nil: none
	collection *dataset.Retrieval // nil: none
	texts      []string           // in the order of asking: queries, documents, sentences
	documents  int                // number of the first document
	ids        []string           // of the documents that are asked
	sentences  int                // number of the first sentence
	numbers    map[string]int     // of the sentences
}

// Prompts are written before texts of a kind, for models that were trained with them.
type Prompts struct{ Query, Document string }

// New sets an exam; either part may be nil.
func New(pairs *dataset.Pairs, collection *dataset.Retrieval, p Prompts) *Exam {
	e := &Exam{pairs: pairs, collection: collection, numbers: map[string]int{}}
	if collection != nil {
		for _, q := range collection.Queries {
			e.texts = append(e.texts, p.Query+q.Text)
		}
	}
	e.documents = len(e.texts)
	if collection != nil {
		for _, d := range collection.Documents {
			if strings.TrimSpace(d.Text) != "" {
				e.texts = append(e.texts, p.Document+d.Text)
				e.ids = append(e.ids, d.ID)
			}
		}
	}
	e.sentences = len(e.texts)
	if pairs != nil {
		for _, pair := range pairs.List {
			e.sentence(pair.A)
			e.sentence(pair.B)
		}
	}
	return e
}

// sentence is asked once, however many pairs it is in.
func (e *Exam) sentence(text string) {
	if _, known := e.numbers[text]; !known {
		e.numbers[text] = len(e.texts)
		e.texts = append(e.texts, text)
	}
}

// Texts are what is asked, in order.
func (e *Exam) Texts() []string { return e.texts }

// Sitting is one stack's answers so far.
type Sitting struct {
	exam     *Exam
	next     int
	queries  [][]float32
	rankings []ranking
	sentence [][]float32
}

// Sit begins.
func (e *Exam) Sit() *Sitting {
	return &Sitting{exam: e, rankings: make([]ranking, e.documents)}
}

// Left are the texts that are not answered yet.
func (s *Sitting) Left() []string { return s.exam.texts[s.next:] }

// Answer takes the vectors of the texts that come next.
func (s *Sitting) Answer(vectors [][]float32) {
	for _, v := range vectors {
		switch e := s.exam; {
		case s.next < e.documents:
			s.queries = append(s.queries, v)
		case s.next < e.sentences:
			id := e.ids[s.next-e.documents]
			for i, q := range s.queries {
				if c := stat.Cosine(q, v); !math.IsNaN(c) { // a vector of length 0 finds nothing and is not found
					s.rankings[i].add(found{id, float32(c)})
				}
			}
		default:
			s.sentence = append(s.sentence, v)
		}
		s.next++
	}
}

// Result marks the answers. It wants all of them.
func (s *Sitting) Result() record.Quality {
	q := record.Quality{Texts: s.next}
	e := s.exam
	if e.pairs != nil {
		q.Pairs = len(e.pairs.List)
		if spearman := 100 * s.spearman(); !math.IsNaN(spearman) {
			q.Spearman = &spearman
		} else {
			q.Error = "all sentence pairs have the same cosine: there is nothing to correlate"
		}
	}
	if e.collection != nil {
		ndcg := 0.0
		for i, query := range e.collection.Queries {
			ndcg += 100 * s.rankings[i].ndcg(e.collection.Judged[query.ID]) / float64(len(e.collection.Queries))
		}
		q.NDCG10, q.Dataset, q.Documents, q.Queries = &ndcg, e.collection.Name, len(e.collection.Documents), len(e.collection.Queries)
	}
	return q
}

// spearman correlates the pairs' cosines with the human scores.
func (s *Sitting) spearman() float64 {
	cosines, scores := make([]float64, 0, len(s.exam.pairs.List)), make([]float64, 0, len(s.exam.pairs.List))
	vector := func(text string) []float32 { return s.sentence[s.exam.numbers[text]-s.exam.sentences] }
	for _, pair := range s.exam.pairs.List {
		cosine := stat.Cosine(vector(pair.A), vector(pair.B))
		if math.IsNaN(cosine) {
			cosine = 0 // a vector of length 0
		}
		cosines = append(cosines, cosine)
		scores = append(scores, pair.Score)
	}
	return stat.Spearman(cosines, scores)
}

package record

// Quality is what a stack's vectors are worth, measured through its own API.
type Quality struct {
	Texts   int     `json:"texts"`   // embedded for it
	Seconds float64 `json:"seconds"` // it took; not a measure of speed
	Error   string  `json:"error,omitempty"`

	// STS Benchmark: Spearman's rank correlation, x 100, of the cosines with the
	// human scores.
	Spearman *float64 `json:"stsb_spearman,omitempty"`
	Pairs    int      `json:"stsb_pairs,omitempty"`

	// Retrieval in a folder of BEIR layout: the mean over its judged queries of
	// nDCG@10 as trec_eval defines it, x 100.
	NDCG10    *float64 `json:"ndcg10,omitempty"`
	Dataset   string   `json:"dataset,omitempty"` // the folder's name
	Documents int      `json:"documents,omitempty"`
	Queries   int      `json:"queries,omitempty"`
}

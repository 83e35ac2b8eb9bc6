package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/paceline/paceline/internal/bench/quality"
	"github.com/paceline/paceline/internal/dataset"
)

// qualityFlags ask for what the vectors are worth.
type qualityFlags struct {
	Quality        bool     `json:"quality" help:"Measure what each stack's vectors are worth, after the timing: Spearman's correlation on sentence pairs, nDCG@10 on a collection."`
	QualityData    []string `json:"data,omitempty" placeholder:"DIR" help:"Texts of --quality, one of each kind at the most: a folder in BEIR layout; sentence pairs with scores in CSV, or the folder of their *test*.csv."`
	QueryPrompt    string   `json:"query_prompt,omitempty" placeholder:"TEXT" help:"Written before each query of --quality, for models that were trained with it."`
	DocumentPrompt string   `json:"document_prompt,omitempty" placeholder:"TEXT" help:"Likewise before each document."`
}

// check finds what parsing could not see.
func (f *qualityFlags) check() error {
	if f.Quality && len(f.QualityData) == 0 {
		return errors.New("--quality needs --quality-data: a folder in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv), or CSV of sentence pairs such as the STS Benchmark's")
	}
	if !f.Quality && (len(f.QualityData) > 0 || f.QueryPrompt != "" || f.DocumentPrompt != "") {
		return errors.New("--quality-data, --query-prompt and --document-prompt are for --quality alone")
	}
	return nil
}

// exam reads the texts; nil where none is asked for.
func (f *qualityFlags) exam(ctx context.Context) (*quality.Exam, error) {
	if !f.Quality {
		return nil, nil
	}
	var pairs *dataset.Pairs
	var collection *dataset.Retrieval
	for _, path := range f.QualityData {
		var err error
		_, missing := os.Stat(filepath.Join(path, "corpus.jsonl"))
		switch retrieval := missing == nil; {
		case retrieval && collection == nil:
			collection, err = dataset.LoadRetrieval(ctx, path)
		case !retrieval && pairs == nil:
			pairs, err = dataset.LoadPairs(ctx, path)
		default:
			err = errors.New("--quality-data: more than one collection, or more than one file of sentence pairs")
		}
		if err != nil {
			return nil, err
		}
	}
	return quality.New(pairs, collection, quality.Prompts{Query: f.QueryPrompt, Document: f.DocumentPrompt}), nil
}

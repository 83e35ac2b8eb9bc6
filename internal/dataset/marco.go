package dataset

import (
	"context"
	"fmt"
	"iter"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/store/hub"
)

// Marco says which texts of MS MARCO to fetch. Its licence allows non-commercial use and no redistribution: each user
// fetches it.
type Marco struct {
	Config string // of microsoft/ms_marco: v1.1 or v2.1
	Split  string // train, validation or test
	Count  int    // how many passages, at least 1
}

const marcoDataset = "microsoft/ms_marco"

// Fetch reads the first passages from the hub's Parquet files. Of these only the row groups that hold them travel, and
// only the column of passages. fetched is told of each passage.
func (m Marco) Fetch(ctx context.Context, client *hub.Client, fetched func()) (Set, error) {
	if m.Count < 1 {
		return Set{}, fmt.Errorf("want at least 1 text, not %d", m.Count)
	}
	addresses, err := client.Parquet(ctx, marcoDataset, m.Config, m.Split)
	if err != nil {
		return Set{}, err
	}
	source := fmt.Sprintf("%s config=%s split=%s count=%d", marcoDataset, m.Config, m.Split, m.Count)
	texts, err := first(ctx, counted(remoteTexts(ctx, client, addresses), fetched), m.Count)
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", source, err)
	}
	if len(texts) < m.Count {
		return Set{}, fmt.Errorf("%s: %s only", source, english.Plural(len(texts), "text", ""))
	}
	return newSet(source, texts), nil
}

// remoteTexts are the texts of several Parquet files, one after the other.
func remoteTexts(ctx context.Context, client *hub.Client, addresses []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, address := range addresses {
			file, err := client.OpenRemote(ctx, address)
			if err != nil {
				yield("", err)
				return
			}
			table, err := openParquet(file, file.Size())
			if err != nil {
				yield("", err)
				return
			}
			for row, err := range table.rows(Selection{}) {
				if !yield(row.Text, err) || err != nil {
					return
				}
			}
		}
	}
}

// counted tells of each text that passes.
func counted(source iter.Seq2[string, error], passed func()) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for text, err := range source {
			if err == nil {
				passed()
			}
			if !yield(text, err) {
				return
			}
		}
	}
}

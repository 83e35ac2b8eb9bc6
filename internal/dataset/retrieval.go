package dataset

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Retrieval is a collection with judgments of which documents answer which queries.
type Retrieval struct {
	Name      string // the folder's
	Documents []Document
	Queries   []Document                // those with a judgment, in the order of their file
	Judged    map[string]map[string]int // grades by query and document id; above 0 is relevant
}

// Document is a document or a query. A document's text begins with its title.
type Document struct{ ID, Text string }

// LoadRetrieval reads a folder in BEIR layout: corpus.jsonl and queries.jsonl, a
// JSON object a line with _id (or id), text and, in a corpus, a title; and the
// judgments, query id, document id and grade, in qrels.tsv or qrels/test.tsv, with
// or without a line of column names.
func LoadRetrieval(ctx context.Context, dir string) (*Retrieval, error) {
	r := &Retrieval{Name: filepath.Base(filepath.Clean(dir))}
	var err error
	if r.Judged, err = readJudgments(dir); err != nil {
		return nil, err
	}
	if r.Documents, err = readDocuments(ctx, filepath.Join(dir, "corpus.jsonl")); err != nil {
		return nil, err
	}
	queries, err := readDocuments(ctx, filepath.Join(dir, "queries.jsonl"))
	if err != nil {
		return nil, err
	}
	for _, q := range queries {
		if r.Judged[q.ID] != nil {
			r.Queries = append(r.Queries, q)
		}
	}
	if len(r.Queries) == 0 {
		return nil, fmt.Errorf("%s: not one of %d queries is judged in its qrels", dir, len(queries))
	}
	return r, nil
}

// readDocuments reads ids, titles and texts, each id once.
func readDocuments(ctx context.Context, path string) ([]Document, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	defer file.Close()
	var list []Document
	seen := map[string]bool{}
	for row, err := range newLineScanner(file).each(func(line string, row *Row) (bool, error) {
		row.Text = line
		return notBlank(line), ctx.Err()
	}) {
		if err != nil {
			return nil, fmt.Errorf("read texts from %s: %w", path, err)
		}
		d, err := parseDocument(row.Text)
		if err == nil && seen[d.ID] {
			err = fmt.Errorf("the id %q came before", d.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("read texts from %s: text %d: %w", path, len(list)+1, err)
		}
		seen[d.ID] = true
		list = append(list, d)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read texts from %s: %w", path, errNoTexts)
	}
	return list, nil
}

// parseDocument reads a line of corpus.jsonl or queries.jsonl.
func parseDocument(line string) (Document, error) {
	var fields struct {
		BEIR  json.RawMessage `json:"_id"`
		ID    json.RawMessage `json:"id"`
		Title string          `json:"title"`
		Text  string          `json:"text"`
	}
	if !utf8.ValidString(line) {
		return Document{}, errors.New("not UTF-8")
	}
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return Document{}, err
	}
	id := fields.BEIR
	if id == nil {
		id = fields.ID
	}
	name, err := identifier(id)
	return Document{name, strings.TrimSpace(fields.Title + " " + fields.Text)}, err
}

// identifier is an id as the judgments write it: a string, or a whole number.
func identifier(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		return text, nil
	}
	var n int64
	if err := json.Unmarshal(raw, &n); err != nil {
		return "", fmt.Errorf("want an _id or id, a string or a whole number: %s", raw)
	}
	return strconv.FormatInt(n, 10), nil
}

func readJudgments(dir string) (map[string]map[string]int, error) {
	path := filepath.Join(dir, "qrels.tsv")
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		path = filepath.Join(dir, "qrels", "test.tsv")
		file, err = os.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read judgments: %w", err)
	}
	defer file.Close()
	judged, err := parseJudgments(file)
	if err != nil {
		return nil, fmt.Errorf("read judgments from %s: %w", path, err)
	}
	return judged, nil
}

// parseJudgments reads lines of query id, document id and grade, apart by tabs. A
// first line whose grade is no number names the columns.
func parseJudgments(r io.Reader) (map[string]map[string]int, error) {
	judged := map[string]map[string]int{}
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Split(strings.TrimRight(lines.Text(), "\r"), "\t")
		if len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d: %d columns, want query id, document id and grade", number, len(fields))
		}
		grade, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if err != nil {
			if number == 1 {
				continue
			}
			return nil, fmt.Errorf("line %d: the grade %q is no whole number", number, fields[2])
		}
		if judged[fields[0]] == nil {
			judged[fields[0]] = map[string]int{}
		}
		judged[fields[0]][fields[1]] = grade
	}
	return judged, lines.Err()
}

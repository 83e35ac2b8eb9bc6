package token

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"
)

// A reference is a Python process that encodes with the `tokenizers` library.
type reference struct {
	in  *json.Encoder
	out *bufio.Reader
}

// request is what one exchange asks: either texts or pairs.
type request struct {
	Texts     []any `json:"texts"` // string or [2]string
	Special   bool  `json:"special"`
	MaxTokens int   `json:"max_tokens"`
	Left      bool  `json:"left"`
}

// referencePython is the Python that has the reference; where there is none the test is skipped. So it is under
// the race detector, which makes text slow and sees nothing in it: `make test` runs these tests without.
func referencePython(t *testing.T) string {
	t.Helper()
	if raced {
		t.Skip("the race detector is at work: run it without, as make test does")
	}
	python := os.Getenv("PACELINE_PYTHON")
	if python == "" {
		t.Skip("PACELINE_PYTHON is not set: no Python with the packages of test/differential/requirements.txt to compare with")
	}
	return python
}

// startReference starts the reference on a tokenizer.json.
func startReference(t *testing.T, tokenizerJSON []byte) *reference {
	t.Helper()
	python := referencePython(t)
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := os.WriteFile(path, tokenizerJSON, 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, filepath.Join("..", "..", "test", "differential", "reference.py"), path)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("reference: %v", err)
		}
	})
	return &reference{json.NewEncoder(in), bufio.NewReaderSize(out, 1<<20)}
}

// encode asks the reference.
func (r *reference) encode(t *testing.T, q request) []Encoding {
	t.Helper()
	if err := r.in.Encode(q); err != nil {
		t.Fatal(err)
	}
	line, err := r.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var answers [][4]json.RawMessage
	if err := json.Unmarshal(line, &answers); err != nil {
		t.Fatal(err)
	}
	encodings := make([]Encoding, len(answers))
	for i, a := range answers {
		var types, special []int
		var offsets [][2]int
		for k, into := range []any{&encodings[i].IDs, &types, &special, &offsets} {
			if err := json.Unmarshal(a[k], into); err != nil {
				t.Fatal(err)
			}
		}
		for k := range types {
			encodings[i].Types = append(encodings[i].Types, uint8(types[k]))
			encodings[i].Special = append(encodings[i].Special, special[k] == 1)
			encodings[i].Offsets = append(encodings[i].Offsets, Span{offsets[k][0], offsets[k][1]})
		}
	}
	return encodings
}

// compare encodes with both and reports where they differ. It counts the texts it compared.
func (r *reference) compare(t *testing.T, tok *Tokenizer, q request) int {
	t.Helper()
	o := Options{Special: q.Special, MaxTokens: q.MaxTokens, TruncateLeft: q.Left, Offsets: true}
	for i, want := range r.encode(t, q) {
		var got Encoding
		switch text := q.Texts[i].(type) {
		case string:
			got = tok.Encode(text, o)
			ids, truncated := tok.AppendIDs(nil, text, o)
			if !slices.Equal(ids, got.IDs) || truncated != got.Truncated {
				t.Errorf("AppendIDs(%.200q) = %v, %v, Encode gave %v, %v", text, ids, truncated, got.IDs, got.Truncated)
			}
		case [2]string:
			got = tok.EncodePair(text[0], text[1], o)
		}
		if !equalEncodings(got, want) {
			t.Errorf("%.300q (%+v)\n got %v %v %v %v\nwant %v %v %v %v", q.Texts[i], o,
				got.IDs, got.Types, got.Special, got.Offsets, want.IDs, want.Types, want.Special, want.Offsets)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	return len(q.Texts)
}

func equalEncodings(a, b Encoding) bool {
	return slices.Equal(a.IDs, b.IDs) && slices.Equal(a.Types, b.Types) && slices.Equal(a.Special, b.Special) &&
		slices.Equal(a.Offsets, b.Offsets)
}

// asTexts makes a request's list.
func asTexts(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		if !utf8.ValidString(text) {
			panic("the reference takes no text that is not UTF-8")
		}
		list[i] = text
	}
	return list
}

package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// passageRow is a row of microsoft/ms_marco as far as it matters here.
type passageRow struct {
	Answers  []string `parquet:"answers,list"`
	Passages struct {
		IsSelected  []int32  `parquet:"is_selected,list"`
		PassageText []string `parquet:"passage_text,list"`
		URL         []string `parquet:"url,list"`
	} `parquet:"passages"`
	Query string `parquet:"query"`
}

// marcoParquet has so many row groups of 10 rows with 5 passages each, beside a column that nobody wants.
func marcoParquet(t testing.TB, groups int) []byte {
	t.Helper()
	var file bytes.Buffer
	writer := parquet.NewGenericWriter[passageRow](&file)
	for g := range groups {
		rows := make([]passageRow, 10)
		for i := range rows {
			rows[i].Query = strings.Repeat("q", 40)
			for k := range 5 {
				n := (g*len(rows)+i)*5 + k
				rows[i].Passages.PassageText = append(rows[i].Passages.PassageText, passage(n))
				rows[i].Passages.URL = append(rows[i].Passages.URL, SynthChars(uint64(n), 1, 400).Texts[0])
				rows[i].Passages.IsSelected = append(rows[i].Passages.IsSelected, 0)
			}
		}
		if _, err := writer.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := writer.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func passage(n int) string {
	return fmt.Sprintf("Passage %d. %s", n, SynthChars(uint64(n), 1, 2000).Texts[0])
}

func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFormats(t *testing.T) {
	t.Parallel()
	want := []string{"first text", "second, \"text\" — ü"}
	var digest string
	for name, content := range map[string]string{
		"list.json":      `["first text", "", "second, \"text\" — ü"]`,
		"strings.jsonl":  "\"first text\"\n\n\"second, \\\"text\\\" — ü\"\n",
		"objects.ndjson": `{"_id": 1, "text": "first text", "title": ""}` + "\r\n" + `{"x": [1], "title": "second,", "text": "\"text\" — ü"}`,
		"passages.jsonl": `{"passage": "first text"}` + "\n" + `{"passage": "second, \"text\" — ü"}` + "\n",
		"columns.csv":    "id,Text\n1,first text\n2,\"second, \"\"text\"\" — ü\"\n",
		"single.csv":     "first text\n\"second, \"\"text\"\" — ü\"\n",
		"collection.tsv": "0\tfirst text\n1\tsecond, \"text\" — ü\n",
		"plain.txt":      "\ufefffirst text\n\n  \nsecond, \"text\" — ü",
		"plain":          "first text\nsecond, \"text\" — ü\n",
	} {
		set, err := Load(t.Context(), write(t, name, content))
		if err != nil || !slices.Equal(set.Texts, want) {
			t.Errorf("%s: %q, %v", name, set.Texts, err)
		}
		if digest == "" {
			digest = set.SHA256
		}
		if set.SHA256 != digest || len(digest) != 64 {
			t.Errorf("%s: digest %s, another format has %s", name, set.SHA256, digest)
		}
	}
}

func TestLoadFirstStops(t *testing.T) {
	t.Parallel()
	path := write(t, "a.jsonl", "\"one\"\n\"two\"\nthis is no JSON\n")
	if set, err := LoadFirst(t.Context(), path, 2); err != nil || len(set.Texts) != 2 {
		t.Errorf("%q, %v", set.Texts, err)
	}
	if _, err := LoadFirst(t.Context(), path, 3); err == nil {
		t.Error("line 3 is no JSON, and nobody noticed")
	}
}

func TestLoadBEIR(t *testing.T) {
	t.Parallel()
	path := write(t, "corpus.jsonl", `{"_id": "d1", "title": "A title", "text": "and a text", "metadata": {}}`)
	set, err := Load(t.Context(), filepath.Dir(path))
	if err != nil || !slices.Equal(set.Texts, []string{"A title and a text"}) {
		t.Errorf("%q, %v", set.Texts, err)
	}
}

func TestLoadParquet(t *testing.T) {
	t.Parallel()
	set, err := Load(t.Context(), write(t, "train.parquet", string(marcoParquet(t, 2))))
	if err != nil || len(set.Texts) != 100 || set.Texts[7] != passage(7) || set.Texts[99] != passage(99) {
		t.Errorf("%d texts, %v", len(set.Texts), err)
	}
}

func TestLoadErrorsNameThePlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, want string }{
		{"a.json", `{"texts": []}`, "want a JSON list of strings"},
		{"b.json", `["a", 7]`, "entry 2, byte 7"},
		{"c.json", `["a", "b"`, "byte 9"},
		{"d.jsonl", "\"a\"\n{\"title\": \"b\"}\n", "line 2: no text in this object"},
		{"e.jsonl", "\"a\"\n\n[1]\n", "line 3: want a JSON object or string"},
		{"f.csv", "id,name\n1,x\n", "line 1: no column is named"},
		{"g.csv", "id,text\n1,x\n2\n", "line 3"},
		{"h.txt", "a\n\xff\n", "text 2 is not UTF-8"},
		{"i.txt", "\n \n", "no texts"},
		{"j.parquet", "PAR1 but nothing else PAR1", "j.parquet"},
		{"k.parquet", "", "k.parquet"},
	} {
		path := write(t, c.name, c.content)
		if _, err := Load(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Load(t.Context(), filepath.Join(t.TempDir(), "none.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, write(t, "a.txt", "a\nb\n")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	set := newSet("here", []string{"a", "<b> & \"c\"", "line\nbreak", "ü \u2028 𝄞"})
	path := filepath.Join(t.TempDir(), "texts.json")
	if err := set.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := Load(t.Context(), path)
	if err != nil || !slices.Equal(back.Texts, set.Texts) || back.SHA256 != set.SHA256 {
		t.Errorf("%+v came back as %+v, %v", set, back, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != set.SHA256 {
		t.Error("the set's digest is not the file's")
	}
	empty := newSet("", nil)
	var out strings.Builder
	if _, err := empty.WriteTo(&out); err != nil || out.String() != "[]\n" {
		t.Errorf("no texts are written as %q, %v", out.String(), err)
	}
}

func TestSaveLeavesNothingHalfWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := newSet("", []string{"a"}).Save(path); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func FuzzLoad(f *testing.F) {
	for name, content := range map[string]string{
		".json": `["a","b"]`, ".jsonl": "{\"text\":\"a\"}\n", ".csv": "text,b\n\"a\",2\n", ".tsv": "1\ta", ".txt": "a\n",
		".parquet": string(marcoParquet(f, 1)[:2000]),
	} {
		f.Add(name, []byte(content))
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		if !slices.Contains([]string{".json", ".jsonl", ".csv", ".tsv", ".txt", ".parquet"}, name) {
			return
		}
		set, err := Load(t.Context(), write(t, "a"+name, string(content)))
		if (err == nil) != (len(set.Texts) > 0) {
			t.Errorf("%d texts, %v", len(set.Texts), err)
		}
	})
}

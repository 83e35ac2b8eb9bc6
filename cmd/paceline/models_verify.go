package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/store"
)

type modelsVerify struct {
	Name      string `arg:"" help:"Model: name, org/name, org/name@revision, or a folder."`
	Reference string `type:"existingfile" placeholder:"FILE" help:"Vectors to agree with: JSON with texts and embeddings, as sentence-transformers made them. Well-known models have some stored."`
	DType     string `name:"dtype" default:"float32" help:"Arithmetic to check: auto, float32, bfloat16, int16, int8 (${default})."`
	Threads   int    `placeholder:"N" help:"Threads of the engine (one a core)."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// verified is all that was found.
type verified struct {
	*store.Verification
	Agreement *agreement `json:"agreement,omitempty"`
}

// Run checks the files' hashes and then, if reference vectors are there, embeds
// their texts. It fails when a file or a vector is not what it should be.
func (c *modelsVerify) Run(ctx context.Context, app *kong.Kong) error {
	files, err := openStore().Verify(ctx, c.Name)
	if err != nil {
		return err
	}
	v := verified{Verification: files}
	bad := files.Bad()
	if len(bad) == 0 {
		if v.Agreement, err = c.agree(ctx, files); err != nil {
			return err
		}
	}
	if c.JSON {
		err = writeJSON(app.Stdout, v)
	} else {
		err = v.print(app.Stdout)
	}
	switch {
	case err != nil:
		return err
	case len(bad) > 0:
		return fmt.Errorf("%s: %d of %d files are not what they should be, the first is %s; `paceline models rm %s` and `pull` fetch them again",
			files.Name, len(bad), len(files.Files), bad[0].Path, c.Name)
	case v.Agreement != nil:
		return v.Agreement.failure(files.Name)
	}
	return nil
}

// agree runs the agreement check; without a reference there is none.
func (c *modelsVerify) agree(ctx context.Context, files *store.Verification) (*agreement, error) {
	reference, err := c.reference(files)
	if reference == nil || err != nil {
		return nil, err
	}
	return reference.check(ctx, c)
}

func (v *verified) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range v.Files {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.State, f.Path, orDash(f.Hash))
		if f.State == store.StateDiffers {
			fmt.Fprintf(table, "\twant\t%s\n", f.Want)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var err error
	switch a := v.Agreement; {
	case a != nil:
		_, err = fmt.Fprintf(w, "%s: %s, least cosine %.7f (wanted %g), largest difference %.2g\nspeed: %.0f embeddings/s of %d tokens, %s on %s with %s\n",
			a.verdict(), english.Plural(a.Texts, "text", ""), a.Cosine, a.Wanted, a.Difference, a.Rate, a.RateTokens, a.DType, a.CPULevel, english.Plural(a.Threads, "thread", ""))
	case len(v.Bad()) == 0:
		_, err = fmt.Fprint(w, noReference)
	}
	return err
}

const noReference = `agreement: no reference vectors are stored for these weights. Make some with sentence-transformers, and give them as --reference:
  import json; from sentence_transformers import SentenceTransformer
  texts = ["Hello world", "What is a vector?", ""]; vectors = SentenceTransformer("MODEL").encode(texts, batch_size=1)
  json.dump({"texts": texts, "embeddings": vectors.tolist()}, open("reference.json", "w"))
`

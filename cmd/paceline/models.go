package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/store"
)

// modelsCommand is `paceline models`.
type modelsCommand struct {
	List       modelsList       `cmd:"" help:"List the models on this machine, and known ones that are not."`
	Pull       modelsPull       `cmd:"" help:"Fetch a model, or bring it up to date."`
	Verify     modelsVerify     `cmd:"" help:"Check the hash of every file of a model, and its vectors against reference vectors, offline."`
	Rm         modelsRm         `cmd:"" help:"Remove a model from the cache, and say what that freed."`
	Convert    modelsConvert    `cmd:"" help:"Write safetensors beside a folder's pytorch_model.bin, without running anything in it."`
	Repository modelsRepository `cmd:"" help:"Write a Triton model repository for an embedding model, ready to serve."`
}

// openStore is the store that the environment describes, with progress on stderr.
func openStore() *store.Store {
	o := store.FromEnvironment()
	o.Progress = newProgress(os.Stderr)
	return store.New(o)
}

type modelsList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints one line a snapshot.
func (c *modelsList) Run(app *kong.Kong) error {
	entries, err := openStore().List()
	if err != nil {
		return err
	}
	for i := range entries {
		fillShape(&entries[i])
	}
	if c.JSON {
		return writeJSON(app.Stdout, entries)
	}
	table := tabwriter.NewWriter(app.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tFAMILY\tDIM\tLIMIT\tREVISION\tSIZE\tLICENCE\tWHERE")
	for _, e := range entries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, orDash(e.Family), numberColumn(e.Dim), numberColumn(e.MaxTokens), revisionColumn(e), sizeColumn(e), orDash(e.License), whereColumn(e))
	}
	return table.Flush()
}

// fillShape reads what the files of a model say it is. Of one that is not here, or
// cannot be read, the list tells what is known without them.
func fillShape(e *store.Entry) {
	if e.Dir == "" || len(e.Missing) > 0 {
		return
	}
	if s, err := assemble.Describe(e.Dir); err == nil {
		e.Shape = store.Shape{Family: s.Family, Dim: s.Dim, MaxTokens: s.MaxTokens}
	}
}

func numberColumn(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func revisionColumn(e store.Entry) string {
	revision := orDash(e.Revision[:min(12, len(e.Revision))])
	if len(e.Refs) > 0 {
		revision += " (" + strings.Join(e.Refs, ", ") + ")"
	}
	return revision
}

func sizeColumn(e store.Entry) string {
	if e.Dir == "" {
		return "-"
	}
	return humanize.Bytes(uint64(e.Bytes))
}

func whereColumn(e store.Entry) string {
	switch {
	case e.Dir == "" && e.Package != "":
		return "not here (hub, or " + e.Package + ")"
	case e.Dir == "":
		return "not here (hub)"
	case len(e.Missing) > 0:
		return e.Dir + "  lacks " + strings.Join(e.Missing, ", ")
	default:
		return e.Dir
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

type modelsPull struct {
	Name string `arg:"" help:"Model: name, org/name or org/name@revision."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run fetches the model and prints its folder.
func (c *modelsPull) Run(ctx context.Context, app *kong.Kong) error {
	r, err := openStore().Pull(ctx, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(app.Stdout, map[string]string{"name": r.Name, "revision": r.Revision, "dir": r.Dir})
	}
	_, err = fmt.Fprintln(app.Stdout, r.Dir)
	return err
}

type modelsRm struct {
	Name string `arg:"" help:"Model: name or org/name for every revision, org/name@revision for one."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run removes the model from the caches.
func (c *modelsRm) Run(ctx context.Context, app *kong.Kong) error {
	removal, err := openStore().Remove(ctx, c.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(app.Stdout, removal)
	}
	_, err = fmt.Fprintf(app.Stdout, "removed %s (%s), freed %s\n", removal.Name, english.Plural(len(removal.Revisions), "revision", ""), humanize.Bytes(uint64(removal.Freed)))
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

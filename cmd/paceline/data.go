package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/store/hub"
)

// dataCommand makes the files of texts that bench and stress take with --data.
type dataCommand struct {
	MSMarco msMarcoCommand `cmd:"" name:"msmarco" help:"Write MS MARCO passages, from the hub or from a file that you have."`
	Synth   synthCommand   `cmd:"" help:"Write texts made from a seed, as long as MS MARCO's passages."`
}

// outFlag is where a list of texts goes.
type outFlag struct {
	Out string `default:"test_sentences.json" type:"path" help:"File to write: a JSON list of strings."`
}

func (o outFlag) save(set dataset.Set) error {
	if err := set.Save(o.Out); err != nil {
		return err
	}
	fmt.Printf("%s: %s, SHA-256 %s\nsource: %s\n", o.Out, english.Plural(len(set.Texts), "text", ""), set.SHA256, set.Source)
	return nil
}

type msMarcoCommand struct {
	Count  int    `default:"10000" help:"How many passages."`
	From   string `type:"path" placeholder:"PATH" help:"Read them from here instead of the hub: Parquet, collection.tsv, JSONL, CSV, JSON list, lines, or a folder in BEIR layout."`
	Config string `default:"v2.1" help:"Configuration of microsoft/ms_marco at the hub: v1.1 or v2.1."`
	Split  string `default:"train" help:"Split: train, validation or test."`
	outFlag
}

// marcoLicence is said whenever the passages are fetched.
const marcoLicence = "MS MARCO is for non-commercial research only and must not be redistributed: keep the file to yourself.\n"

// Run fetches or converts the passages.
func (c *msMarcoCommand) Run(ctx context.Context) error {
	if c.Count < 1 {
		return fmt.Errorf("%w: --count %d: want at least 1", errUsage, c.Count)
	}
	if c.From != "" {
		set, err := dataset.LoadFirst(ctx, c.From, c.Count)
		if err != nil {
			return err
		}
		if n := len(set.Texts); n < c.Count {
			fmt.Fprintf(os.Stderr, "%s has %s, %d were asked for\n", set.Source, english.Plural(n, "text", ""), c.Count)
		}
		return c.save(set)
	}
	set, err := c.fetch(ctx)
	if err != nil {
		return fmt.Errorf("%w\nWithout the hub: give a file that you have with --from PATH, or make texts of the same lengths with `paceline data synth`", err)
	}
	fmt.Fprint(os.Stderr, marcoLicence)
	return c.save(set)
}

func (c *msMarcoCommand) fetch(ctx context.Context) (dataset.Set, error) {
	o := store.FromEnvironment()
	if o.Offline {
		return dataset.Set{}, fmt.Errorf("fetch MS MARCO: %w", store.ErrOffline)
	}
	client, err := hub.New(hub.Options{Endpoint: o.Endpoint, Token: o.Token})
	if err != nil {
		return dataset.Set{}, err
	}
	defer client.Close()
	marco := dataset.Marco{Config: c.Config, Split: c.Split, Count: c.Count}
	return marco.Fetch(ctx, client, passageProgress(client.Endpoint(), c.Count))
}

// passageProgress says how far fetching is, at most every two seconds.
func passageProgress(from string, count int) func() {
	fetched, said := 0, time.Now()
	return func() {
		fetched++
		if now := time.Now(); now.Sub(said) >= 2*time.Second {
			said = now
			fmt.Fprintf(os.Stderr, "%s: %d of %s\n", from, fetched, english.Plural(count, "passage", ""))
		}
	}
}

type synthCommand struct {
	Seed   uint64 `default:"1" help:"The same seed gives the same texts."`
	Count  int    `default:"10000" help:"How many texts."`
	Tokens int    `help:"Make every text this many BERT tokens long, the two special ones included."`
	Chars  int    `help:"Make every text this many characters long."`
	outFlag
}

// Run makes the texts.
func (c *synthCommand) Run() error {
	const fewestTokens = 3 // two special ones and one of the text
	switch {
	case c.Count < 1:
		return fmt.Errorf("%w: --count %d: want at least 1", errUsage, c.Count)
	case c.Tokens != 0 && c.Chars != 0:
		return fmt.Errorf("%w: --tokens and --chars exclude each other", errUsage)
	case c.Tokens != 0 && c.Tokens < fewestTokens:
		return fmt.Errorf("%w: --tokens %d: want at least %d", errUsage, c.Tokens, fewestTokens)
	case c.Chars < 0:
		return fmt.Errorf("%w: --chars %d: want at least 1", errUsage, c.Chars)
	case c.Tokens != 0:
		return c.save(dataset.SynthTokens(c.Seed, c.Count, c.Tokens))
	case c.Chars != 0:
		return c.save(dataset.SynthChars(c.Seed, c.Count, c.Chars))
	}
	return c.save(dataset.Synth(c.Seed, c.Count))
}

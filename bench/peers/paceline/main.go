// Command paceline is the Paceline side of the comparison with other engines: a
// process that embeds texts through the library's face and answers the commands
// described in ../peer.py. PACELINE_CPU forces a lower CPU level, as everywhere.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/paceline/paceline"
	"github.com/paceline/paceline/internal/kernel"
)

func main() {
	if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "paceline peer:", err)
		os.Exit(1)
	}
}

type command struct {
	Op      string   `json:"op"`
	Model   string   `json:"model"`
	Threads int      `json:"threads"`
	DType   string   `json:"dtype"`
	Texts   []string `json:"texts"`
	Seconds float64  `json:"seconds"`
	Batch   int      `json:"batch"`
}

// peer is the state between commands.
type peer struct {
	model *paceline.Model
	texts []string
}

func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	decoder, encoder := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	var p peer
	for {
		var c command
		if err := decoder.Decode(&c); err == io.EOF {
			return p.close()
		} else if err != nil {
			return err
		}
		reply, err := p.answer(ctx, &c)
		if err != nil {
			return err
		}
		if err := encoder.Encode(reply); err != nil {
			return err
		}
	}
}

func (p *peer) close() error {
	if p.model == nil {
		return nil
	}
	return p.model.Close()
}

func (p *peer) answer(ctx context.Context, c *command) (reply any, err error) {
	switch c.Op {
	case "open":
		return p.open(ctx, c)
	case "texts":
		p.texts = c.Texts
		return struct{}{}, nil
	case "vectors":
		return p.vectors(ctx)
	case "lone":
		return p.lone(ctx, time.Duration(c.Seconds*float64(time.Second)))
	case "run":
		return p.run(ctx, time.Duration(c.Seconds*float64(time.Second)), c.Batch)
	}
	return nil, fmt.Errorf("unknown command %q", c.Op)
}

// open tells which kernels run: a level that disagrees with the reference is left for
// a lower one, and what "auto" takes depends on the level.
func (p *peer) open(ctx context.Context, c *command) (any, error) {
	dtype := cmp.Or(c.DType, "float32")
	kernels, err := kernel.Open("")
	if err != nil {
		return nil, err
	}
	if p.model, err = paceline.Open(ctx, c.Model, paceline.WithThreads(c.Threads), paceline.WithDType(dtype)); err != nil {
		return nil, err
	}
	runs := string(kernels.Level())
	if dtype == "auto" {
		runs += " " + string(kernels.Best())
	}
	return map[string]string{"name": fmt.Sprintf("paceline %s (%s)", dtype, runs)}, nil
}

func (p *peer) vectors(ctx context.Context) (any, error) {
	vectors, err := p.model.Embed(ctx, p.texts, paceline.WithNormalize(true))
	if err != nil {
		return nil, err
	}
	var raw []byte
	for _, v := range vectors {
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	}
	return map[string]any{"width": p.model.Dim(), "vectors": base64.StdEncoding.EncodeToString(raw)}, nil
}

// lone embeds one text after the other, each by itself, until the time is over.
func (p *peer) lone(ctx context.Context, d time.Duration) (any, error) {
	var took []float64
	for start := time.Now(); time.Since(start) < d; {
		begin := time.Now()
		if _, err := p.model.Embed(ctx, p.texts[len(took)%len(p.texts):][:1], paceline.WithNormalize(true)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begin).Seconds())
	}
	return map[string]any{"seconds": took}, nil
}

// run embeds the texts again and again, in batches, until the time is over; the
// last batch is finished.
func (p *peer) run(ctx context.Context, d time.Duration, batch int) (any, error) {
	start := time.Now()
	for done, at := 0, 0; ; {
		end := min(at+batch, len(p.texts))
		if _, err := p.model.Embed(ctx, p.texts[at:end], paceline.WithNormalize(true)); err != nil {
			return nil, err
		}
		done += end - at
		if at = end; at == len(p.texts) {
			at = 0
		}
		if wall := time.Since(start); wall >= d {
			return map[string]any{"texts": done, "seconds": wall.Seconds()}, nil
		}
	}
}

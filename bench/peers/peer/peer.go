// Package peer is a Go engine's side of the comparison: a process that embeds texts and
// answers the commands described in ../peer.py.
package peer

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// Engine is what is compared.
type Engine interface {
	// Open loads a model in Hugging Face layout and tells what to call the engine.
	Open(ctx context.Context, model string, threads int, dtype string) (name string, err error)
	// Embed returns vectors of length 1.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	Close() error
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
	engine Engine
	texts  []string
}

// Serve answers commands until there are no more, and closes the engine.
func Serve(ctx context.Context, e Engine, in io.Reader, out io.Writer) error {
	decoder, encoder := json.NewDecoder(bufio.NewReader(in)), json.NewEncoder(out)
	p := peer{engine: e}
	for {
		var c command
		if err := decoder.Decode(&c); err == io.EOF {
			return e.Close()
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

func (p *peer) answer(ctx context.Context, c *command) (reply any, err error) {
	switch c.Op {
	case "open":
		name, err := p.engine.Open(ctx, c.Model, c.Threads, c.DType)
		return map[string]string{"name": name}, err
	case "texts":
		p.texts = c.Texts
		return struct{}{}, nil
	case "vectors":
		return p.vectors(ctx, c.Batch)
	case "lone":
		return p.lone(ctx, time.Duration(c.Seconds*float64(time.Second)))
	case "run":
		return p.run(ctx, time.Duration(c.Seconds*float64(time.Second)), c.Batch)
	}
	return nil, fmt.Errorf("unknown command %q", c.Op)
}

func (p *peer) vectors(ctx context.Context, batch int) (any, error) {
	var raw []byte
	width := 0
	for at := 0; at < len(p.texts); at += batch {
		vectors, err := p.engine.Embed(ctx, p.texts[at:min(at+batch, len(p.texts))])
		if err != nil {
			return nil, err
		}
		for _, v := range vectors {
			width = len(v)
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
		}
	}
	return map[string]any{"width": width, "vectors": base64.StdEncoding.EncodeToString(raw)}, nil
}

// lone embeds one text after the other, each by itself, until the time is over.
func (p *peer) lone(ctx context.Context, d time.Duration) (any, error) {
	var took []float64
	for start := time.Now(); time.Since(start) < d; {
		begin := time.Now()
		if _, err := p.engine.Embed(ctx, p.texts[len(took)%len(p.texts):][:1]); err != nil {
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
		if _, err := p.engine.Embed(ctx, p.texts[at:end]); err != nil {
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

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/paceline/paceline/bench/peers/peer"
)

// TestServe speaks the protocol of peer.py with a small model.
func TestServe(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	commands := `{"op":"open","model":"../../../testdata/tiny/bert","threads":1}
		{"op":"texts","texts":["one","two","three"]}
		{"op":"vectors","batch":8}
		{"op":"run","seconds":0,"batch":2}
		{"op":"lone","seconds":0.001}`
	if err := peer.Serve(context.Background(), &engine{}, strings.NewReader(commands), &out); err != nil {
		t.Fatal(err)
	}
	replies := json.NewDecoder(&out)
	var opened struct{ Name string }
	var texts struct{}
	var vectors struct {
		Width   int
		Vectors string
	}
	var ran struct {
		Texts   int
		Seconds float64
	}
	var lone struct{ Seconds []float64 }
	for _, into := range []any{&opened, &texts, &vectors, &ran, &lone} {
		if err := replies.Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(vectors.Vectors)
	if err != nil || vectors.Width != 48 || len(raw) != 3*48*4 {
		t.Errorf("%d bytes for vectors of %d values, %v", len(raw), vectors.Width, err)
	}
	if !strings.HasPrefix(opened.Name, "paceline float32 (") || ran.Texts != 2 || ran.Seconds <= 0 || len(lone.Seconds) == 0 {
		t.Errorf("opened %+v, ran %+v, lone %+v", opened, ran, lone)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	for _, commands := range []string{`{"op":"dance"}`, `{"op":"open","model":"/nowhere/at/all"}`, `{`} {
		if err := peer.Serve(context.Background(), &engine{}, strings.NewReader(commands), new(bytes.Buffer)); err == nil {
			t.Errorf("%s was accepted", commands)
		}
	}
}

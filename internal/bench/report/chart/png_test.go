package chart

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestPictures: the right size, with the stack's colour in it; a stack without
// records gets an empty picture, which the check can tell.
func TestPictures(t *testing.T) {
	t.Parallel()
	reporttest.SkipDrawing(t)
	r := reporttest.Demo(2)
	r.Stacks = append(r.Stacks, record.Stack{Name: "silent", Error: "it never answered"})
	x := figures.NewIndex(r)
	coloured := func(s *record.Stack) int {
		var b bytes.Buffer
		if err := WritePNG(x, &b, s.Name, []*record.Stack{s}); err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size.X != 2400 || size.Y != 1600 {
			t.Errorf("%s: %v pixels", s.Name, size)
		}
		rgba := image.NewRGBA(picture.Bounds())
		draw.Draw(rgba, rgba.Bounds(), picture, image.Point{}, draw.Src)
		colour := paletteColor(0)
		want, n := []byte{colour.R, colour.G, colour.B, colour.A}, 0
		for pixel := range slices.Chunk(rgba.Pix, 4) {
			if bytes.Equal(pixel, want) {
				n++
			}
		}
		return n
	}
	if n := coloured(&r.Stacks[0]); n < 50_000 { // the bars alone cover more
		t.Errorf("%d pixels in the stack's colour", n)
	}
	if n := coloured(&r.Stacks[len(r.Stacks)-1]); n != 0 {
		t.Errorf("a stack without records has %d pixels in its colour", n)
	}
}

package paceline_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/paceline/paceline"
)

// The examples use a small model of random weights in testdata; yours would be
// "all-MiniLM-L6-v2" or any other name of the hub.
func Example() {
	ctx := context.Background()
	model, err := paceline.Open(ctx, "testdata/tiny/bert")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	vectors, err := model.Embed(ctx, []string{"riders in a line", "a pace line of riders"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d vectors of %d values\n", len(vectors), model.Dim())
	// Output: 2 vectors of 48 values
}

func ExampleSearch() {
	corpus := [][]float32{{0, 1}, {1, 0}, {1, 1}}
	for _, m := range paceline.Search([]float32{2, 1}, corpus, 2, paceline.Cosine) {
		fmt.Printf("%d %.3f\n", m.Index, m.Score)
	}
	// Output:
	// 2 0.949
	// 1 0.894
}

func ExampleModel_Embed_errors() {
	ctx := context.Background()
	model, err := paceline.Open(ctx, "testdata/tiny/bert")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	texts := []string{"short", strings.Repeat("long ", 500)}
	_, err = model.Embed(ctx, texts, paceline.WithoutTruncation())
	var text *paceline.TextError
	if errors.Is(err, paceline.ErrTooLong) && errors.As(err, &text) {
		fmt.Printf("text %d is longer than %d tokens\n", text.Index, model.MaxTokens())
	}
	// Output: text 1 is longer than 128 tokens
}

func ExampleEuclidean() {
	fmt.Printf("%.3f\n", paceline.Euclidean([]float32{0, 0}, []float32{3, 4}))
	fmt.Printf("%.3f\n", paceline.Euclidean([]float32{3, 4}, []float32{3, 4}))
	// Output:
	// 0.167
	// 1.000
}

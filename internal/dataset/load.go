package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

// Load reads the texts of a file.
func Load(ctx context.Context, path string) (Set, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Set{}, fmt.Errorf("read texts: %w", err)
	}
	var texts []string
	if err := json.Unmarshal(data, &texts); err != nil {
		return Set{}, fmt.Errorf("read texts from %s: want a JSON list of strings: %w", path, err)
	}
	return newSet(path, texts), ctx.Err()
}

package store

import (
	"context"
	"fmt"
	"os"
)

// Options says where a Store looks.
type Options struct{}

// FromEnvironment reads the options from the environment.
func FromEnvironment() Options { return Options{} }

// Store finds models.
type Store struct{ options Options }

// New makes a Store.
func New(o Options) *Store { return &Store{o} }

// Open finds the model of that name: a folder in Hugging Face layout.
func (s *Store) Open(ctx context.Context, name string) (*Repository, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return nil, fmt.Errorf("model %q: no folder of that name", name)
	}
	return &Repository{Name: name, Dir: name}, nil
}

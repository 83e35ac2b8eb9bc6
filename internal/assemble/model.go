package assemble

import (
	"context"
	"errors"

	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// Engine runs batches of a model. Its methods are safe for concurrent use.
type Engine interface {
	// Run fills b.Out; ctx ends it early.
	Run(ctx context.Context, b *model.Batch) error
	// Bytes is the memory that the weights take as the engine has them.
	Bytes() int64
	Close() error
}

// Model is a model ready to run. All its fields are read-only.
type Model struct {
	Name     string // org/name, or the folder it came from
	Revision string // the commit; "" for a folder
	Spec     *model.Spec
	Pipeline *pipeline.Pipeline
	Engine   Engine
	DType    string // the arithmetic of the linear layers
	CPULevel string // the instruction sets in use
	Device   string
	Threads  int

	tensors *tensors
	files   *recorder
}

// Encoder turns lists of texts into vectors.
func (m *Model) Encoder() *encode.Encoder {
	return &encode.Encoder{Pipeline: m.Pipeline, Engine: m.Engine, Width: m.Spec.Dim(), Threads: m.Threads}
}

// Bytes is the memory that the model takes: its weights as the engine has them, and
// its files, which stay mapped or became a tokenizer.
func (m *Model) Bytes() int64 {
	if m.Engine == nil {
		return 0
	}
	return m.Engine.Bytes() + m.files.size()
}

// Close stops the engine, then unmaps the weights. The first call counts.
func (m *Model) Close() error {
	var errs []error
	if m.Engine != nil {
		errs = append(errs, m.Engine.Close())
	}
	if m.tensors != nil {
		errs = append(errs, m.tensors.Close())
	}
	return errors.Join(errs...)
}

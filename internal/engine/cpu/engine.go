package cpu

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// Options are the engine's choices; the zero value is the best for the machine.
type Options struct {
	// Threads is the number of workers. 0 takes runtime.GOMAXPROCS, which since Go
	// 1.25 honours the CPU limit of the process's cgroup.
	Threads int
	// Level is the level of kernels. "" takes the environment's or the machine's
	// best, see kernel.Open.
	Level kernel.Level
	// DType is the arithmetic of the layers' products: one of kernel.Set.DTypes for
	// the level. "" and "auto" are kernel.Set.Best: the fastest that keeps a cosine
	// of 0.999 to float32.
	DType string
}

// ErrClosed is what Run returns on a closed engine.
var ErrClosed = errors.New("the engine is closed")

// Engine runs one model. Its methods are safe for concurrent use.
type Engine struct {
	spec    *model.Spec
	set     *kernel.Set
	weights *weights
	queue   queue
	threads int
}

// New packs the weights and starts the workers. The tensors are read until Close:
// the token embeddings stay where they are.
func New(spec *model.Spec, tensors model.Tensors, o Options) (*Engine, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("threads is %d; it must be at least 1, or 0 for one a core", o.Threads)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if err := spec.Require("CPU", implemented()...); err != nil {
		return nil, err
	}
	set, err := kernel.Open(o.Level)
	if err != nil {
		return nil, err
	}
	dtype, err := chooseDType(o.DType, set)
	if err != nil {
		return nil, err
	}
	w, err := pack(spec, tensors, set, dtype, o.Threads)
	if err != nil {
		return nil, err
	}
	e := &Engine{spec: spec, set: set, weights: w, threads: o.Threads}
	e.queue.start(o.Threads, leastFor(e.Bytes()), w.hands, func() runner { return newWorker(spec, set, w) })
	return e, nil
}

// DType is the arithmetic that New would choose.
func DType(o Options) (string, error) {
	set, err := kernel.Open(o.Level)
	if err != nil {
		return "", err
	}
	d, err := chooseDType(o.DType, set)
	return string(d), err
}

func chooseDType(name string, set *kernel.Set) (kernel.DType, error) {
	if name == "" || name == "auto" {
		return set.Best(), nil
	}
	if d := kernel.DType(name); slices.Contains(set.DTypes(), d) {
		return d, nil
	}
	known := "auto"
	for _, d := range set.DTypes() {
		known += ", " + string(d)
	}
	return "", fmt.Errorf("dtype %q: %w at CPU level %s (known: %s)", name, ErrDType, set.Level(), known)
}

// ErrDType says that the engine does not compute in the arithmetic asked for.
var ErrDType = errors.New("no such arithmetic")

// implemented lists the choices of a Spec that this engine has.
func implemented() []model.Choice {
	choices := []model.Choice{
		model.ChoicePositionTable, model.ChoiceRelativeBias, model.ChoiceALiBi, model.ChoiceRotary,
		model.ChoiceWindow, model.ChoiceCausal, model.ChoiceSharedKeys, model.ChoiceHeadNorm,
		model.ChoicePreNorm, model.ChoicePostNorm, model.ChoiceResultNorm, model.ChoiceRMSNorm,
		model.ChoiceGatedFFN, model.ChoiceExperts, model.ChoiceDense, model.ChoiceLayerMix, model.ChoiceClassifier, model.ChoiceSplade,
	}
	for a := range activations {
		choices = append(choices, model.ChoiceActivation(a))
	}
	for m := range poolers {
		choices = append(choices, model.ChoicePooling(m))
	}
	return choices
}

// Run fills b.Out. It returns when every output is written, when ctx ends (blocks
// not yet begun are then dropped), or at the first failure. On an error the outputs
// hold anything.
func (e *Engine) Run(ctx context.Context, b *model.Batch) error {
	if err := e.check(b); err != nil {
		return err
	}
	return e.queue.run(ctx, b)
}

// Close ends the workers after the blocks they are in, and gives the weights' memory
// back. Run calls under way return ErrClosed.
func (e *Engine) Close() error {
	e.queue.close()
	e.weights.arena.Free()
	return nil
}

// Bytes is the memory that the packed weights take.
func (e *Engine) Bytes() int64 { return e.weights.arena.Bytes() }

// Level is the level of the kernels in use.
func (e *Engine) Level() kernel.Level { return e.set.Level() }

// Threads is the number of workers.
func (e *Engine) Threads() int { return e.threads }

// DType is the arithmetic of the layers' products.
func (e *Engine) DType() string { return string(e.weights.dtype) }

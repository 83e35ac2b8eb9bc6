package assemble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/paceline/paceline/internal/engine/cpu"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/token"
)

// Options says how a model is to be run; the zero value is the best that the
// machine has.
type Options struct {
	DType   string // of the linear layers; "" or "auto" for the fastest that keeps the vectors
	Threads int    // 0 for one a core
	Device  string // "", "auto" or "cpu"
}

// ErrUnknownDevice says that no engine runs on the device asked for.
var ErrUnknownDevice = errors.New("no engine for this device")

// ErrUnknownDType says that the engine does not compute in the arithmetic asked for.
var ErrUnknownDType = cpu.ErrDType

// Open finds a model by name, reads its pipeline and packs its weights for the
// engine. Weights stay mapped from the file until Close.
func Open(ctx context.Context, st *store.Store, name string, o Options) (*Model, error) {
	if err := checkDevice(o.Device); err != nil {
		return nil, err
	}
	repo, err := st.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	m := &Model{Name: repo.Name, Revision: repo.Revision, Device: "cpu", files: newRecorder(repo.FS())}
	if err := m.open(ctx, repo, o); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s: %w", repo.Name, err), m.Close())
	}
	return m, nil
}

func checkDevice(device string) error {
	switch device {
	case "", "auto", "cpu":
		return nil
	}
	return fmt.Errorf("device %q: %w (known: auto, cpu)", device, ErrUnknownDevice)
}

// open fills the model. What it has opened before an error Close gives back.
func (m *Model) open(ctx context.Context, repo *store.Repository, o Options) error {
	modules, err := model.ReadModules(m.files)
	if err != nil {
		return err
	}
	if m.tensors, err = openTensors(repo, m.files, modules); err != nil {
		return err
	}
	if m.Spec, err = model.Read(m.files, m.tensors); err != nil {
		return err
	}
	// The two slow steps are independent: the tokenizer's vocabulary and the weights.
	var group errgroup.Group
	group.Go(func() error { return m.readPipeline(modules) })
	group.Go(func() error { return m.startEngine(o) })
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// DType is the arithmetic in which Open would run a model, without opening one.
func DType(o Options) (string, error) {
	return cpu.DType(cpu.Options{DType: o.DType})
}

func (m *Model) readPipeline(modules model.Modules) error {
	here, err := fs.Sub(m.files, modules.Transformer)
	if err != nil {
		return err
	}
	read := token.Read
	if modules.Static { // whose tokenizer is no transformers class
		read = token.ReadAsItIs
	}
	tok, err := read(here)
	if err != nil {
		return tokenizerError{err}
	}
	m.Pipeline, err = pipeline.Read(m.files, tok, m.Spec)
	return err
}

// tokenizerError is a tokenizer that cannot be read. One of a kind that is not known
// is a model that is not supported.
type tokenizerError struct{ error }

func (e tokenizerError) Error() string {
	if errors.Is(e.error, fs.ErrNotExist) {
		return fmt.Sprintf("it has no tokenizer that can be read: %v", e.error)
	}
	return fmt.Sprintf("its tokenizer: %v", e.error)
}

func (e tokenizerError) Unwrap() error { return e.error }

// Is maps the tokenizer's word for it to the model's.
func (e tokenizerError) Is(target error) bool {
	return target == model.ErrUnsupported && errors.Is(e.error, token.ErrUnsupported)
}

func (m *Model) startEngine(o Options) error {
	engine, err := cpu.New(m.Spec, m.tensors, cpu.Options{Threads: o.Threads, DType: o.DType})
	if err != nil {
		return err
	}
	m.Engine, m.DType, m.CPULevel, m.Threads = engine, engine.DType(), string(engine.Level()), engine.Threads()
	return nil
}

package cohere

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/paceline/paceline/internal/quantize"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// types are the forms in which a request wants its embeddings.
type types []string

var knownTypes = types{"float", "int8", "uint8", "binary", "ubinary", "base64"}

func readTypes(f *dialect.Fields) types {
	var wanted types
	for i, name := range f.Strings("embedding_types") {
		if !slices.Contains(knownTypes, name) && f.Err == nil {
			f.Err = dialect.Errorf(dialect.Value, "embedding_types", "unknown embedding_types[%d] %q: it must be one of %q", i, name, knownTypes)
		}
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return types{"float"}
	}
	return wanted
}

// bytes tells whether ranges are needed.
func (t types) bytes() bool { return slices.Contains(t, "int8") || slices.Contains(t, "uint8") }

func (t types) bits() bool { return slices.Contains(t, "binary") || slices.Contains(t, "ubinary") }

// check refuses forms that the vectors cannot have.
func (t types) check(r *dialect.Request, i *dialect.Info) error {
	dim := i.Dim
	if r.Dimensions > 0 {
		dim = r.Dimensions
	}
	switch {
	case t.bits() && dim%8 != 0:
		return dialect.Errorf(dialect.Value, "embedding_types", "binary embeddings need a dimension that is a multiple of 8, it is %d", dim)
	case t.bytes() && !i.Calibrated && len(r.Inputs) < 2:
		return dialect.Errorf(dialect.Value, "embedding_types",
			"int8 and uint8 lie between the least and the greatest value of each dimension, which one text does not have: start the server with --calibration FILE, or send at least 2 texts")
	}
	return nil
}

// answer is how a request's embeddings are to be written.
type answer struct {
	id, version string
	types       types
	byType      bool
	texts       []string
}

func (e answer) encode(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`{"id":`)
	a.String(e.id)
	a.Raw(`,"embeddings":`)
	kind := "embeddings_floats"
	if e.byType {
		kind = "embeddings_by_type"
		e.encodeTypes(a, r)
	} else {
		a.List(len(r.Vectors), func(i int) { a.Vector(r.Vectors[i]) })
	}
	a.Raw(`,"texts":`)
	a.List(len(e.texts), func(i int) { a.String(e.texts[i]) })
	a.Raw(`,"meta":`)
	encodeMeta(a, r, e.version, fmt.Sprintf(`"input_tokens":%d`, r.InputTokens))
	a.Raw(`,"response_type":"` + kind + `"}`)
}

func (e answer) encodeTypes(a *dialect.Answer, r *dialect.Result) {
	ranges := r.Ranges
	if ranges == nil && e.types.bytes() {
		own, _ := quantize.RangesOf(r.Vectors) // there are two at least: see check
		ranges = &own
	}
	a.Raw(`{`)
	for k, name := range e.types {
		if k > 0 {
			a.Raw(`,`)
		}
		a.Raw(`"` + name + `":`)
		a.List(len(r.Vectors), func(i int) { encodeVector(a, name, r.Vectors[i], ranges) })
	}
	a.Raw(`}`)
}

func encodeVector(a *dialect.Answer, name string, v []float32, ranges *quantize.Ranges) {
	switch name {
	case "int8":
		a.List(len(v), func(i int) { a.Int(ranges.Int8(i, v[i])) })
	case "uint8":
		a.List(len(v), func(i int) { a.Int(ranges.Uint8(i, v[i])) })
	case "binary":
		packed := quantize.Bits(v)
		a.List(len(packed), func(i int) { a.Int(int(packed[i]) - 128) })
	case "ubinary":
		packed := quantize.Bits(v)
		a.List(len(packed), func(i int) { a.Int(int(packed[i])) })
	case "base64":
		a.Base64(v, wire.Float32, binary.LittleEndian)
	default:
		a.Vector(v)
	}
}

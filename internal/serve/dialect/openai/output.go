package openai

import (
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// tensor is the output of one input: its values row by row.
type tensor struct {
	values []float32
	shape  []int // [values], or [tokens, values]
}

// envelope is what vLLM's answers have around their data.
type envelope struct {
	id      string
	created int64
}

func envelopeOf(c *dialect.Call, prefix string) envelope {
	return envelope{prefix + c.ID, c.Time.Unix()}
}

func (e envelope) head(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`{"id":`)
	a.String(e.id)
	a.Raw(`,"object":"list","created":`)
	a.Int(int(e.created))
	a.Raw(`,"model":`)
	a.String(r.Model)
	a.Raw(`,"data":`)
}

func (e envelope) tail(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`,`)
	usage(a, r)
	a.Raw(`}`)
}

func usage(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`"usage":{"prompt_tokens":`)
	a.Int(r.InputTokens)
	a.Raw(`,"total_tokens":`)
	a.Int(r.InputTokens)
	a.Raw(`}`)
}

// output is how tensors are to be written.
type output struct {
	envelope
	object, field string // an item's type, and where in it the values stand

	format  string // float, base64, bytes, bytes_only
	element wire.Element
	dtype   string
	order   binary.ByteOrder
	endian  string
}

// dtypes are vLLM's values of embed_dtype, in the order of wire's.
var dtypes = []string{"float32", "float16", "bfloat16", "fp8_e4m3", "fp8_e5m2"}

func readOutput(f *dialect.Fields, prefix, object, field string) output {
	o := output{envelope: envelopeOf(f.Call, prefix), object: object, field: field}
	o.format = f.OneOf("encoding_format", "float", "base64", "bytes", "bytes_only")
	o.dtype = f.OneOf("embed_dtype", dtypes...)
	for i, name := range dtypes {
		if name == o.dtype {
			o.element = wire.Element(i)
		}
	}
	o.endian = f.OneOf("endianness", "native", "little", "big")
	o.order = binary.LittleEndian // native, on every machine this runs on
	if o.endian == "big" {
		o.order = binary.BigEndian
	}
	return o
}

// encode writes n tensors.
func (o output) encode(a *dialect.Answer, r *dialect.Result, at func(i int) tensor, n int) {
	if o.format == "bytes" || o.format == "bytes_only" {
		o.encodeBytes(a, r, at, n)
		return
	}
	o.head(a, r)
	a.List(n, func(i int) {
		a.Raw(`{"object":"` + o.object + `","index":`)
		a.Int(i)
		a.Raw(`,"` + o.field + `":`)
		if t := at(i); o.format == "base64" {
			a.Base64(t.values, o.element, o.order)
		} else {
			t.encode(a)
		}
		a.Raw(`}`)
	})
	o.tail(a, r)
}

func (t tensor) encode(a *dialect.Answer) {
	if len(t.shape) == 1 {
		a.Vector(t.values)
		return
	}
	a.List(t.shape[0], func(i int) { a.Vector(t.values[i*t.shape[1]:][:t.shape[1]]) })
}

// encodeBytes writes the tensors one after another and says in the header
// "metadata" where each lies, as vLLM does.
func (o output) encodeBytes(a *dialect.Answer, r *dialect.Result, at func(i int) tensor, n int) {
	a.Set("Content-Type", "application/octet-stream")
	if o.format == "bytes" {
		a.Set("Metadata", o.metadata(r, at, n))
	}
	for i := range n {
		a.Elements(at(i).values, o.element, o.order)
	}
}

func (o output) metadata(r *dialect.Result, at func(i int) tensor, n int) string {
	type place struct {
		Index  int    `json:"index"`
		DType  string `json:"embed_dtype"`
		Endian string `json:"endianness"`
		Start  int    `json:"start"`
		End    int    `json:"end"`
		Shape  []int  `json:"shape"`
	}
	var s strings.Builder
	w := wire.NewWriter(&s)
	a := &dialect.Answer{Writer: w}
	o.head(a, r)
	start := 0
	a.List(n, func(i int) {
		t := at(i)
		end := start + o.element.Size()*len(t.values)
		item, _ := json.Marshal(place{i, o.dtype, o.endian, start, end, t.shape}) // words and numbers
		a.Bytes(item)
		start = end
	})
	o.tail(a, r)
	w.Close() // a Builder takes everything
	return s.String()
}

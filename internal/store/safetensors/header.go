package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// MaxHeaderBytes is the longest header that is read, as in the reference
// implementation. A model of a thousand tensors needs about 0.1 MB.
const MaxHeaderBytes = 100_000_000

const lengthBytes = 8 // the header's length, at the start of the file

// FormatError says what is wrong with a file. Tensor is empty when the fault is
// not one tensor's.
type FormatError struct {
	File, Tensor, Reason string
}

func (e *FormatError) Error() string {
	if e.Tensor == "" {
		return fmt.Sprintf("%s: not a valid safetensors file: %s", e.File, e.Reason)
	}
	// A hostile name may be megabytes long.
	return fmt.Sprintf("%s: not a valid safetensors file: tensor %.80q: %s", e.File, e.Tensor, e.Reason)
}

// entry is one tensor as the header tells it; offsets count from the end of the header.
type entry struct {
	name       string
	dtype      string
	shape      []int
	begin, end int64
}

// header is the parsed header of one file of whole size.
type header struct {
	entries  []entry
	metadata map[string]string
	start    int64 // of the tensor data in the file
}

// parseHeader reads and checks the header of a whole file in memory.
func parseHeader(file []byte) (*header, error) {
	text, err := headerText(file)
	if err != nil {
		return nil, err
	}
	h := &header{start: int64(lengthBytes + len(text))}
	if err := h.decode(text); err != nil {
		return nil, err
	}
	return h, h.checkLayout(int64(len(file)) - h.start)
}

// headerText cuts the header's JSON out of the file.
func headerText(file []byte) ([]byte, error) {
	if len(file) < lengthBytes {
		return nil, fault("%d bytes; the header's length alone takes %d", len(file), lengthBytes)
	}
	n := binary.LittleEndian.Uint64(file)
	if n > MaxHeaderBytes {
		return nil, fault("header of %d bytes; the limit is %d", n, MaxHeaderBytes)
	}
	if n > uint64(len(file)-lengthBytes) {
		return nil, fault("header of %d bytes in a file of %d: truncated, or another format", n, len(file))
	}
	text := file[lengthBytes : lengthBytes+int(n)]
	if len(text) == 0 || text[0] != '{' {
		return nil, fault("the header does not start with '{'")
	}
	if !utf8.Valid(text) {
		return nil, fault("the header is not UTF-8")
	}
	return text, nil
}

// decode reads the header's JSON. It goes token by token because encoding/json
// lets a repeated key win silently, and two readers that disagree on which one
// wins see two different models in one file.
func (h *header) decode(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	seen := map[string]bool{}
	err := eachMember(d, func(name string) error {
		if seen[name] {
			return &FormatError{Tensor: name, Reason: "named twice in the header"}
		}
		seen[name] = true
		if name == "__metadata__" {
			return h.decodeMetadata(d)
		}
		e, err := decodeEntry(d, name)
		h.entries = append(h.entries, e)
		return err
	})
	if err != nil {
		return asFault(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fault("text after the header's JSON object")
	}
	return nil
}

func (h *header) decodeMetadata(d *json.Decoder) error {
	h.metadata = map[string]string{}
	return eachMember(d, func(key string) error {
		if _, twice := h.metadata[key]; twice {
			return fault("__metadata__ has the key %.80q twice", key)
		}
		token, err := d.Token()
		if err != nil {
			return err
		}
		value, ok := token.(string)
		if !ok {
			return fault("__metadata__ key %.80q has the value %.80s, want a string", key, fmt.Sprint(token))
		}
		h.metadata[key] = value
		return nil
	})
}

// decodeEntry reads one tensor's object. Unknown members are skipped, as the
// reference does.
func decodeEntry(d *json.Decoder, name string) (entry, error) {
	e := entry{name: name}
	seen := map[string]bool{}
	err := eachMember(d, func(key string) error {
		if seen[key] {
			return fault("%q given twice", key)
		}
		seen[key] = true
		return e.decodeMember(d, key)
	})
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if err == nil && !seen[key] {
			err = fault("no %q", key)
		}
	}
	if err != nil {
		err = &FormatError{Tensor: name, Reason: asFault(err).Reason}
	}
	return e, err
}

func (e *entry) decodeMember(d *json.Decoder, key string) error {
	switch key {
	case "dtype":
		return d.Decode(&e.dtype)
	case "shape":
		dims, err := decodeNumbers(d, key)
		for _, v := range dims {
			e.shape = append(e.shape, int(v))
		}
		return err
	case "data_offsets":
		offsets, err := decodeNumbers(d, key)
		if err != nil {
			return err
		}
		if len(offsets) != 2 {
			return fault("data_offsets has %d values, want 2", len(offsets))
		}
		e.begin, e.end = offsets[0], offsets[1]
		return nil
	default:
		var skipped json.RawMessage
		return d.Decode(&skipped)
	}
}

// decodeNumbers reads an array of integers from 0 to the largest int.
func decodeNumbers(d *json.Decoder, key string) ([]int64, error) {
	var list []any
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	if list == nil {
		return nil, fault("%s is null, want an array", key)
	}
	values := make([]int64, len(list))
	for i, item := range list {
		n, _ := item.(json.Number) // "" when it is no number
		v, err := strconv.ParseUint(n.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fault("%s has the value %.40s, want an integer from 0 to %d", key, fmt.Sprint(item), maxInt)
		}
		values[i] = int64(v)
	}
	return values, nil
}

// eachMember calls f for every key of the object that comes next; f reads the value.
func eachMember(d *json.Decoder, f func(key string) error) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('{') {
		return fault("found %.40s, want an object", fmt.Sprint(token))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := f(key.(string)); err != nil { // a key is a string, or Token fails
			return err
		}
	}
	_, err = d.Token()
	return err
}

func fault(format string, args ...any) *FormatError {
	return &FormatError{Reason: fmt.Sprintf(format, args...)}
}

// asFault makes any decoding error a FormatError.
func asFault(err error) *FormatError {
	if f, ok := err.(*FormatError); ok {
		return f
	}
	return fault("header: %v", err)
}

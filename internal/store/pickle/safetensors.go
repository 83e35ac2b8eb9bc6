package pickle

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// entry is a tensor in safetensors' header.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// WriteSafetensors writes all tensors in safetensors' format, in lexical order. No
// more than a tensor's storage is in memory, and that only where the tensor's values
// do not lie in order. ctx ends it between tensors.
func (c *Checkpoint) WriteSafetensors(ctx context.Context, w io.Writer) error {
	names := c.Names()
	header, err := c.header(names)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, name := range names {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		t := c.tensors[name]
		if err := c.write(w, &t); err != nil {
			return fmt.Errorf("tensor %s: %w", name, err)
		}
	}
	return nil
}

// header is the length, the JSON, and spaces to the next multiple of 8.
func (c *Checkpoint) header(names []string) ([]byte, error) {
	entries := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var at int64
	for _, name := range names {
		t := c.tensors[name]
		end := at + t.count()*int64(t.bytes)
		entries[name] = entry{t.dtype, append([]int64{}, t.size...), [2]int64{at, end}}
		at = end
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

func (c *Checkpoint) write(w io.Writer, t *tensor) error {
	r, err := c.open(&t.storage)
	if err != nil {
		return err
	}
	defer r.Close()
	width := int64(t.bytes)
	if t.contiguous() {
		if _, err := io.CopyN(io.Discard, r, t.offset*width); err != nil {
			return err
		}
		_, err := io.CopyN(w, r, t.count()*width)
		return err
	}
	data := make([]byte, t.values*width)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	_, err = w.Write(t.gather(data))
	return err
}

package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The values that a pickle's instructions work on: nil, bool, int64, float64,
// string, tuple, *list, *dict, and what the allowed names stand for.
type (
	tuple []any
	list  struct{ items []any }
	dict  struct {
		keys   []any // in the order of their first appearance
		values map[string]any
	}
	mark struct{}
)

// machine runs a pickle's instructions over data. Values are never copied, so its
// memory is in proportion to the program.
type machine struct {
	data  []byte
	at    int
	stack []any
	memo  map[uint32]any
	// load resolves a persistent id: in torch's archives, the storage of a tensor.
	load func(id any) (any, error)
}

func newMachine(data []byte, load func(id any) (any, error)) *machine {
	return &machine{data: data, load: load}
}

// run executes the next pickle of data and returns its result.
func (m *machine) run() (any, error) {
	m.stack, m.memo = nil, map[uint32]any{}
	for {
		start := m.at
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' {
			return m.pop()
		}
		step, ok := instructions[op[0]]
		if !ok {
			return nil, fmt.Errorf("pickle: instruction 0x%02x at byte %d is not allowed: a checkpoint of tensors has no use for it", op[0], start)
		}
		if err := step(m); err != nil {
			return nil, fmt.Errorf("pickle: instruction %q at byte %d: %w", op[0], start, err)
		}
	}
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.at {
		return nil, fmt.Errorf("pickle: %d bytes wanted at byte %d of %d", n, m.at, len(m.data))
	}
	m.at += n
	return m.data[m.at-n : m.at], nil
}

// number is a little-endian count of that many bytes.
func (m *machine) number(width int) (int, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	n := binary.LittleEndian.Uint64(wide[:])
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("a count of %d", n)
	}
	return int(n), nil
}

// line is the text up to the next newline.
func (m *machine) line() (string, error) {
	for i := m.at; i < len(m.data); i++ {
		if m.data[i] == '\n' {
			s := string(m.data[m.at:i])
			m.at = i + 1
			return s, nil
		}
	}
	return "", fmt.Errorf("a line without an end")
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, fmt.Errorf("pickle: the stack is empty")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark pops the values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			values := append([]any{}, m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, fmt.Errorf("no mark on the stack")
}

// top is the last value, which must be a *list or *dict.
func top[T any](m *machine) (v T, err error) {
	if len(m.stack) > 0 {
		if v, ok := m.stack[len(m.stack)-1].(T); ok {
			return v, nil
		}
	}
	return v, fmt.Errorf("the stack holds no %T", v)
}

// set keeps pairs of keys and values. Keys are strings or integers.
func (d *dict) set(pairs []any) error {
	if len(pairs)%2 != 0 {
		return fmt.Errorf("a key without a value")
	}
	for i := 0; i < len(pairs); i += 2 {
		name, err := keyOf(pairs[i])
		if err != nil {
			return err
		}
		if d.values == nil {
			d.values = map[string]any{}
		}
		if _, ok := d.values[name]; !ok {
			d.keys = append(d.keys, pairs[i])
		}
		d.values[name] = pairs[i+1]
	}
	return nil
}

// keyOf tells the integer 1 from the string "1".
func keyOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return "s" + v, nil
	case int64:
		return fmt.Sprintf("i%d", v), nil
	}
	return "", fmt.Errorf("a key of type %T", v)
}

// get returns the value of a string key.
func (d *dict) get(key string) (any, bool) {
	v, ok := d.values["s"+key]
	return v, ok
}

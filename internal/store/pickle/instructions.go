package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
)

// instructions are all that a machine can do (Python's pickletools.py documents
// them). Those that torch.save writes are of protocol 2; the few of protocol 4 come
// from other writers. Absent on purpose: INST, OBJ, NEWOBJ and NEWOBJ_EX, EXT, and
// every instruction that copies.
var instructions = map[byte]func(m *machine) error{
	0x80: func(m *machine) error { return skip(m, 1) }, // PROTO
	0x95: func(m *machine) error { return skip(m, 8) }, // FRAME

	'(':  func(m *machine) error { m.push(mark{}); return nil },
	'N':  func(m *machine) error { m.push(nil); return nil },
	0x88: func(m *machine) error { m.push(true); return nil },
	0x89: func(m *machine) error { m.push(false); return nil },
	')':  func(m *machine) error { m.push(tuple{}); return nil },
	']':  func(m *machine) error { m.push(&list{}); return nil },
	'}':  func(m *machine) error { m.push(&dict{}); return nil },

	'K': func(m *machine) error { return unsigned(m, 1) },
	'M': func(m *machine) error { return unsigned(m, 2) },
	'J': func(m *machine) error { // BININT, the only signed one
		b, err := m.take(4)
		if err == nil {
			m.push(int64(int32(binary.LittleEndian.Uint32(b))))
		}
		return err
	},
	0x8a: long,
	'G': func(m *machine) error {
		b, err := m.take(8)
		if err == nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
		return err
	},

	'U':  func(m *machine) error { return text(m, 1) },
	'T':  func(m *machine) error { return text(m, 4) },
	'X':  func(m *machine) error { return text(m, 4) },
	0x8c: func(m *machine) error { return text(m, 1) },
	0x8d: func(m *machine) error { return text(m, 8) },

	't': func(m *machine) error {
		values, err := m.popMark()
		if err == nil {
			m.push(tuple(values))
		}
		return err
	},
	0x85: func(m *machine) error { return tupleOf(m, 1) },
	0x86: func(m *machine) error { return tupleOf(m, 2) },
	0x87: func(m *machine) error { return tupleOf(m, 3) },

	'a': func(m *machine) error {
		v, err := m.pop()
		if err != nil {
			return err
		}
		return appendTo(m, v)
	},
	'e': func(m *machine) error {
		values, err := m.popMark()
		if err != nil {
			return err
		}
		return appendTo(m, values...)
	},
	's': func(m *machine) error {
		v, err := m.pop()
		if err != nil {
			return err
		}
		k, err := m.pop()
		if err != nil {
			return err
		}
		return setOn(m, k, v)
	},
	'u': func(m *machine) error {
		values, err := m.popMark()
		if err != nil {
			return err
		}
		return setOn(m, values...)
	},

	'q':  func(m *machine) error { return put(m, 1) },
	'r':  func(m *machine) error { return put(m, 4) },
	'h':  func(m *machine) error { return get(m, 1) },
	'j':  func(m *machine) error { return get(m, 4) },
	0x94: func(m *machine) error { return remember(m, uint32(len(m.memo))) },

	'c': func(m *machine) error {
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return pushName(m, module, name)
	},
	0x93: func(m *machine) error { // STACK_GLOBAL
		name, _ := m.pop()
		module, _ := m.pop()
		n, okName := name.(string)
		mod, okModule := module.(string)
		if !okName || !okModule {
			return fmt.Errorf("a name of type %T in a module of type %T", name, module)
		}
		return pushName(m, mod, n)
	},
	'R': func(m *machine) error { // REDUCE: a call
		arguments, _ := m.pop()
		callee, _ := m.pop()
		args, ok := arguments.(tuple)
		f, callable := callee.(function)
		if !ok || !callable {
			return fmt.Errorf("a call of a %T with a %T", callee, arguments)
		}
		v, err := f(args)
		if err == nil {
			m.push(v)
		}
		return err
	},
	'b': func(m *machine) error { // BUILD: attributes, of which a state dictionary's say nothing about tensors
		if _, err := m.pop(); err != nil {
			return err
		}
		_, err := top[*dict](m)
		return err
	},
	'Q': func(m *machine) error {
		id, err := m.pop()
		if err != nil {
			return err
		}
		v, err := m.load(id)
		if err == nil {
			m.push(v)
		}
		return err
	},
}

func skip(m *machine, n int) error {
	_, err := m.take(n)
	return err
}

func unsigned(m *machine, width int) error {
	n, err := m.number(width)
	if err == nil {
		m.push(int64(n))
	}
	return err
}

// long is a two's complement number of at most 8 bytes.
func long(m *machine) error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	b, err := m.take(n)
	if err != nil {
		return err
	}
	if n > 8 {
		return fmt.Errorf("a number of %d bytes", n)
	}
	var v int64
	for i, x := range b {
		v |= int64(x) << (8 * i)
	}
	if n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	m.push(v)
	return nil
}

func text(m *machine, width int) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	b, err := m.take(n)
	if err == nil {
		m.push(string(b))
	}
	return err
}

func tupleOf(m *machine, n int) error {
	if len(m.stack) < n {
		return fmt.Errorf("%d values wanted, %d on the stack", n, len(m.stack))
	}
	at := len(m.stack) - n
	t := append(tuple{}, m.stack[at:]...)
	m.stack = m.stack[:at]
	m.push(t)
	return nil
}

func appendTo(m *machine, values ...any) error {
	l, err := top[*list](m)
	if err == nil {
		l.items = append(l.items, values...)
	}
	return err
}

func setOn(m *machine, pairs ...any) error {
	d, err := top[*dict](m)
	if err != nil {
		return err
	}
	return d.set(pairs)
}

func put(m *machine, width int) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	return remember(m, uint32(n))
}

func remember(m *machine, n uint32) error {
	if len(m.stack) == 0 {
		return fmt.Errorf("nothing to remember")
	}
	m.memo[n] = m.stack[len(m.stack)-1]
	return nil
}

func get(m *machine, width int) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(n)]
	if !ok {
		return fmt.Errorf("memo %d was never written", n)
	}
	m.push(v)
	return nil
}

func pushName(m *machine, module, name string) error {
	v, ok := names[module+"."+name]
	if !ok {
		return fmt.Errorf("%s.%s is not allowed: a checkpoint of tensors has no use for it, and loading it elsewhere may run code", module, name)
	}
	m.push(v)
	return nil
}

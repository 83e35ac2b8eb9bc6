package modelrepo

import "strings"

// node is a field as it stands in a text protobuf: enough of it to say where
// something is, whatever it means. Values are checked by prototext.
type node struct {
	name         string
	line, column int
	start, end   int    // in the text, for a scalar that is no element of a list
	value        string // of a scalar, as written
	block        bool   // has fields of its own
	fields       []*node
}

// outliner takes a text protobuf apart without knowing its messages. What is not
// well-formed it reads as far as it can: prototext says what is wrong there.
type outliner struct {
	text         string
	at           int
	line, column int // of at, from 1
}

// outline returns the top-level fields.
func outline(text []byte) []*node {
	o := &outliner{text: string(text), line: 1, column: 1}
	return o.fields(0)
}

// deepest bounds the nesting that is followed, as prototext bounds it.
const deepest = 100

func (o *outliner) fields(depth int) []*node {
	var list []*node
	for {
		o.skip(" \t\r\n,;")
		if o.done() || o.peek() == '}' || o.peek() == '>' || o.peek() == ']' {
			return list
		}
		before := o.at
		n := &node{line: o.line, column: o.column, start: o.at}
		n.name = o.word()
		o.skip(" \t\r\n:")
		o.read(n, depth, &list)
		if o.at == before {
			o.step() // a character that begins nothing
		}
	}
}

// read reads a field's value: a scalar, a block, or a list of either, each
// block of which is a field of its own.
func (o *outliner) read(n *node, depth int, list *[]*node) {
	switch {
	case o.done():
	case o.peek() == '{' || o.peek() == '<':
		n.block = true
		o.step()
		if depth < deepest {
			n.fields = o.fields(depth + 1)
		}
		o.skip(" \t\r\n")
		o.stepOver("}>")
	case o.peek() == '[':
		o.list(n, depth, list)
		return
	default:
		n.value = o.scalar()
		n.end = o.at
	}
	*list = append(*list, n)
}

func (o *outliner) list(n *node, depth int, list *[]*node) {
	o.step()
	for {
		o.skip(" \t\r\n,")
		if o.done() || o.peek() == ']' {
			o.stepOver("]")
			return
		}
		before := o.at
		if o.peek() == '[' { // not text protobuf
			o.step()
			continue
		}
		element := &node{name: n.name, line: n.line, column: n.column}
		o.read(element, depth, list)
		if o.at == before {
			o.step()
		}
	}
}

func (o *outliner) done() bool { return o.at >= len(o.text) }
func (o *outliner) peek() byte { return o.text[o.at] }

func (o *outliner) step() {
	if o.text[o.at] == '\n' {
		o.line, o.column = o.line+1, 0
	}
	o.at++
	o.column++
}

func (o *outliner) stepOver(any string) {
	if !o.done() && strings.IndexByte(any, o.peek()) >= 0 {
		o.step()
	}
}

// skip passes over those bytes and over comments.
func (o *outliner) skip(bytes string) {
	for !o.done() {
		switch c := o.peek(); {
		case c == '#':
			for !o.done() && o.peek() != '\n' {
				o.step()
			}
		case strings.IndexByte(bytes, c) >= 0:
			o.step()
		default:
			return
		}
	}
}

func (o *outliner) word() string {
	start := o.at
	for !o.done() && strings.IndexByte(" \t\r\n:{}<>[],;#\"'", o.peek()) < 0 {
		o.step()
	}
	return o.text[start:o.at]
}

// scalar is a word, or quoted strings one after another, as written.
func (o *outliner) scalar() string {
	start := o.at
	if o.peek() != '"' && o.peek() != '\'' {
		return o.word()
	}
	end := start
	for !o.done() && (o.peek() == '"' || o.peek() == '\'') {
		quote := o.peek()
		o.step()
		for !o.done() && o.peek() != quote && o.peek() != '\n' {
			if o.peek() == '\\' {
				o.step()
			}
			if !o.done() {
				o.step()
			}
		}
		if !o.done() {
			o.step()
		}
		end = o.at
		o.skip(" \t\r\n")
	}
	return o.text[start:end]
}

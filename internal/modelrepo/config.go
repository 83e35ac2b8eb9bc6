package modelrepo

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// ConfigFile is the name of the file that describes a model.
const ConfigFile = "config.pbtxt"

// Diagnostic is something to say about one place of a file.
type Diagnostic struct {
	File         string
	Line, Column int // from 1; 0 for the file as a whole
	Message      string
}

func (d Diagnostic) Error() string {
	if d.Line == 0 {
		return d.File + ": " + d.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
}

// ParseConfig reads a config.pbtxt. Fields that the format does not have are
// warnings. The error joins Diagnostics; file is what they call the text.
func ParseConfig(file string, text []byte) (c *pb.ModelConfig, warnings []Diagnostic, err error) {
	c = &pb.ModelConfig{}
	found := findings{file: file, text: bytes.Clone(text)}
	found.look(outline(text), c.ProtoReflect().Descriptor(), "")
	if len(found.errors) > 0 {
		return nil, found.warnings, errors.Join(found.errors...)
	}
	if err := (prototext.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(found.text, c); err != nil {
		return nil, found.warnings, positioned(file, text, err)
	}
	return c, found.warnings, nil
}

// position is how prototext says where it failed.
var position = regexp.MustCompile(`\(line (\d+):(\d+)\): (.*)`)

// positioned is the error with its place; what has none is an end that came too
// early.
func positioned(file string, text []byte, err error) error {
	m := position.FindStringSubmatch(err.Error())
	if m == nil {
		last := text[bytes.LastIndexByte(text, '\n')+1:]
		return Diagnostic{file, bytes.Count(text, []byte("\n")) + 1, len(last) + 1, err.Error()}
	}
	line, _ := strconv.Atoi(m[1]) // digits, by the pattern
	column, _ := strconv.Atoi(m[2])
	return Diagnostic{file, line, column, m[3]}
}

// findings are what an outline shows without its values.
type findings struct {
	file     string
	text     []byte // for prototext, which is stricter than people are
	errors   []error
	warnings []Diagnostic
}

// look compares fields with a message's.
func (f *findings) look(fields []*node, d protoreflect.MessageDescriptor, path string) {
	f.lookAlternatives(fields, d, path)
	for _, n := range fields {
		field := d.Fields().ByName(protoreflect.Name(n.name))
		switch {
		case n.name == "":
		case field == nil:
			message := fmt.Sprintf("unknown field %q is ignored", path+n.name)
			f.warnings = append(f.warnings, Diagnostic{f.file, n.line, n.column, message})
		case field.IsMap() && n.block:
			f.lookEntry(n, field, path)
		case field.Message() != nil && n.block:
			f.look(n.fields, field.Message(), path+n.name+".")
		}
	}
}

// lookAlternatives takes out what people write beside the one of several
// alternatives that they mean: "zero_data: false random_data: true". The
// reference server refuses it.
func (f *findings) lookAlternatives(fields []*node, d protoreflect.MessageDescriptor, path string) {
	chosen := map[protoreflect.OneofDescriptor]int{}
	oneof := func(n *node) protoreflect.OneofDescriptor {
		if field := d.Fields().ByName(protoreflect.Name(n.name)); field != nil && field.ContainingOneof() != nil {
			return field.ContainingOneof()
		}
		return nil
	}
	for _, n := range fields {
		if o := oneof(n); o != nil {
			chosen[o]++
		}
	}
	for _, n := range fields {
		if o := oneof(n); o == nil || chosen[o] < 2 || n.value != "false" || n.end == 0 {
			continue
		}
		copy(f.text[n.start:n.end], bytes.Repeat([]byte(" "), n.end-n.start))
		f.warnings = append(f.warnings, Diagnostic{f.file, n.line, n.column,
			fmt.Sprintf("%s%s: false is ignored beside an alternative to it; Triton refuses this: leave it out", path, n.name)})
	}
}

// lookEntry looks at an entry of a map. More than one key in it is the mistake
// that people make most: text protobuf writes one pair an entry.
func (f *findings) lookEntry(n *node, field protoreflect.FieldDescriptor, path string) {
	var keys, values []*node
	for _, inner := range n.fields {
		switch inner.name {
		case "key":
			keys = append(keys, inner)
		case "value":
			values = append(values, inner)
		}
	}
	if len(keys) > 1 {
		f.errors = append(f.errors, Diagnostic{f.file, keys[1].line, keys[1].column,
			fmt.Sprintf("%s%s has %d keys in one entry; an entry holds one pair. Write an entry for each: %s",
				path, n.name, len(keys), rightForm(n.name, keys, values))})
		return
	}
	f.look(n.fields, field.Message(), path+n.name+".")
}

func rightForm(name string, keys, values []*node) string {
	entries := make([]string, len(keys))
	for i, k := range keys {
		value := "…"
		if i < len(values) {
			if value = values[i].value; values[i].block {
				value = "{ … }"
			}
		}
		entries[i] = fmt.Sprintf("%s { key: %s value: %s }", name, k.value, value)
	}
	return strings.Join(entries, " ")
}

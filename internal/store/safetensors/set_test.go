package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// file lays out a safetensors file by hand: length, header, data.
func file(header string, data int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	for i := range data {
		out = append(out, byte(i))
	}
	return out
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// parse is Open of a file in memory.
func parse(name string, content []byte) (*Set, error) {
	s := &Set{tensors: map[string]tensor{}, metadata: map[string]string{}}
	err := s.add(name, &mapping{data: content})
	return s, err
}

const twoTensors = `{"__metadata__":{"format":"pt"},` +
	`"b":{"dtype":"F16","shape":[2],"data_offsets":[24,28]},` +
	`"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24],"note":[{}]},` +
	`"empty":{"dtype":"I64","shape":[0,5],"data_offsets":[24,24]},` +
	`"scalar":{"dtype":"U8","shape":[],"data_offsets":[28,29]}}  `

func TestOpenReadsWhatTheHeaderSays(t *testing.T) {
	t.Parallel()
	path := write(t, t.TempDir(), SingleFile, file(twoTensors, 29))
	set, err := OpenDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if want := []string{"a", "b", "empty", "scalar"}; !slices.Equal(set.Names(), want) {
		t.Errorf("Names() = %v, want %v", set.Names(), want)
	}
	if got := set.Metadata()["format"]; got != "pt" {
		t.Errorf("format = %q, want pt", got)
	}
	for _, want := range []struct {
		name, dtype string
		shape       []int
		first, size int
	}{
		{"a", "F32", []int{2, 3}, 0, 24}, {"b", "F16", []int{2}, 24, 4},
		{"empty", "I64", []int{0, 5}, 0, 0}, {"scalar", "U8", nil, 28, 1},
	} {
		got, ok := set.Tensor(want.name)
		if !ok || got.DType != want.dtype || !slices.Equal(got.Shape, want.shape) || len(got.Data) != want.size || cap(got.Data) != want.size {
			t.Errorf("Tensor(%q) = %+v, %v; want %+v", want.name, got, ok, want)
		}
		if want.size > 0 && got.Data[0] != byte(want.first) {
			t.Errorf("Tensor(%q) starts with byte %d of the data, want %d", want.name, got.Data[0], want.first)
		}
	}
	if _, ok := set.Tensor("c"); ok {
		t.Error(`Tensor("c") exists`)
	}
}

// TestRefuses holds one hostile or broken file a line, and the words that
// its error must have: the tensor, the value and the limit.
func TestRefuses(t *testing.T) {
	t.Parallel()
	one := func(member string) []byte { return file(`{"x":{`+member+`}}`, 8) }
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":              {nil, "0 bytes; the header's length alone takes 8"},
		"seven bytes":        {make([]byte, 7), "7 bytes; the header's length alone takes 8"},
		"no header":          {make([]byte, 8), "does not start with '{'"},
		"length past limit":  {slices.Repeat([]byte{0xff}, 16), "18446744073709551615 bytes; the limit is 100000000"},
		"length past file":   {file("{}", 0)[:9], "header of 2 bytes in a file of 9"},
		"a zip":              {append([]byte("PK\x03\x04\x00\x00\x00\x00"), make([]byte, 100)...), "header of"},
		"leading space":      {file(" {}", 0), "does not start with '{'"},
		"not UTF-8":          {file("{\"\xff\":1}", 0), "not UTF-8"},
		"cut JSON":           {file(`{"x":`, 0), "header: "},
		"trailing object":    {file(`{}{}`, 0), "after the header's JSON"},
		"array":              {file(`{"x":[]}`, 0), `tensor "x": found [, want an object`},
		"tensor twice":       {file(`{"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 8), `tensor "x": named twice`},
		"escaped twice":      {file(`{"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"\u0078":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 8), `tensor "x": named twice`},
		"dtype twice":        {one(`"dtype":"U8","dtype":"F32","shape":[8],"data_offsets":[0,8]`), `tensor "x": "dtype" given twice`},
		"metadata twice":     {file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), `key "a" twice`},
		"metadata number":    {file(`{"__metadata__":{"a":1}}`, 0), `key "a" has the value 1, want a string`},
		"metadata object":    {file(`{"__metadata__":{"a":{}}}`, 0), "want a string"},
		"no dtype":           {one(`"shape":[8],"data_offsets":[0,8]`), `tensor "x": no "dtype"`},
		"no shape":           {one(`"dtype":"U8","data_offsets":[0,8]`), `tensor "x": no "shape"`},
		"no offsets":         {one(`"dtype":"U8","shape":[8]`), `tensor "x": no "data_offsets"`},
		"unknown dtype":      {one(`"dtype":"Q4","shape":[8],"data_offsets":[0,8]`), `unknown dtype "Q4"`},
		"null dtype":         {one(`"dtype":null,"shape":[8],"data_offsets":[0,8]`), `unknown dtype ""`},
		"null shape":         {one(`"dtype":"U8","shape":null,"data_offsets":[0,8]`), "shape is null"},
		"negative dimension": {one(`"dtype":"U8","shape":[-8],"data_offsets":[0,8]`), "shape has the value -8"},
		"fraction":           {one(`"dtype":"U8","shape":[8.0],"data_offsets":[0,8]`), "shape has the value 8.0"},
		"exponent":           {one(`"dtype":"U8","shape":[8e0],"data_offsets":[0,8]`), "shape has the value 8e0"},
		"string dimension":   {one(`"dtype":"U8","shape":["8"],"data_offsets":[0,8]`), "shape has the value 8, want an integer"},
		"null dimension":     {one(`"dtype":"U8","shape":[null],"data_offsets":[0,8]`), "want an integer"},
		"one offset":         {one(`"dtype":"U8","shape":[8],"data_offsets":[0]`), "data_offsets has 1 values, want 2"},
		"backwards":          {one(`"dtype":"U8","shape":[8],"data_offsets":[8,0]`), "[8, 0] run backwards"},
		"past the end":       {one(`"dtype":"U8","shape":[9],"data_offsets":[0,9]`), "[0, 9] reach past the file's 8 bytes"},
		"offset overflow":    {one(`"dtype":"U8","shape":[8],"data_offsets":[0,18446744073709551616]`), "has the value 18446744073709551616"},
		"too short":          {one(`"dtype":"F32","shape":[3],"data_offsets":[0,8]`), "shape [3] of F32 needs 12 bytes, data_offsets [0, 8] hold 8"},
		"product overflow":   {one(`"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]`), "overflows 64 bits"},
		"wraps to 8 bytes":   {one(`"dtype":"F64","shape":[4611686018427387905,4],"data_offsets":[0,8]`), "overflows 64 bits"},
		"half a byte":        {one(`"dtype":"F4","shape":[15],"data_offsets":[0,8]`), "not a whole number of bytes"},
		"overlap":            {file(`{"x":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"y":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8), `tensor "y": data_offsets [4, 8] overlap the tensor before, which ends at 5`},
		"same bytes":         {file(`{"x":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"y":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 8), "overlap"},
		"gap":                {file(`{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8), `tensor "y": data_offsets [4, 8] leave a gap after byte 3`},
		"bytes at the end":   {one(`"dtype":"U8","shape":[7],"data_offsets":[0,7]`), "the tensors end at byte 7 of the data, the file at byte 8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("evil.safetensors", c.file)
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("error %v, want a *FormatError", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "evil.safetensors: ") {
				t.Errorf("error %q, want the file's name and %q", err, c.want)
			}
		})
	}
}

func TestErrorsStayShort(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 1<<20)
	_, err := parse("f", file(`{"`+name+`":{"dtype":"`+name+`","shape":[8],"data_offsets":[0,8]}}`, 8))
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("error of %d bytes, want one of at most 400", len(fmt.Sprint(err)))
	}
}

func TestOpenDirSharded(t *testing.T) {
	t.Parallel()
	tensor := func(name string) []byte {
		return file(`{"`+name+`":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 4)
	}
	for name, c := range map[string]struct{ index, second, want string }{
		"good":           {`{"metadata":{"total_size":8},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}`, "b", ""},
		"absent tensor":  {`{"weight_map":{"a":"1.safetensors","c":"2.safetensors"}}`, "b", `tensor "c" is in no shard`},
		"absent shard":   {`{"weight_map":{"a":"1.safetensors","b":"3.safetensors"}}`, "b", "3.safetensors"},
		"in both":        {`{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}`, "a", `tensor "a": also in another shard`},
		"named twice":    {`{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}`, "b", `names tensor "a" twice`},
		"leaves":         {`{"weight_map":{"a":"../1.safetensors"}}`, "b", `"../1.safetensors", want the name of a file beside the index`},
		"absolute":       {`{"weight_map":{"a":"/etc/passwd"}}`, "b", "beside the index"},
		"empty name":     {`{"weight_map":{"a":""}}`, "b", "beside the index"},
		"no map":         {`{}`, "b", "weight_map"},
		"not an object":  {`{"weight_map":[]}`, "b", "want an object"},
		"not JSON":       {`weights`, "b", "invalid character"},
		"shard a number": {`{"weight_map":{"a":1}}`, "b", "cannot unmarshal number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "1.safetensors", tensor("a"))
			write(t, dir, "2.safetensors", tensor(c.second))
			write(t, dir, IndexFile, []byte(c.index))
			set, err := OpenDir(dir)
			if c.want == "" {
				if err != nil || !slices.Equal(set.Names(), []string{"a", "b"}) {
					t.Fatalf("OpenDir = %v, %v", set, err)
				}
				if err := set.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), IndexFile) {
				t.Errorf("error %v, want %q and the index's name", err, c.want)
			}
		})
	}
}

func TestOpenDirWithoutCheckpoint(t *testing.T) {
	t.Parallel()
	_, err := OpenDir(t.TempDir())
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), SingleFile) || !strings.Contains(err.Error(), IndexFile) {
		t.Errorf("error %v, want ErrNotExist that names both files", err)
	}
}

func TestOpenRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Open(dir); err == nil {
		t.Error("a folder was opened")
	}
	var format *FormatError
	if _, err := Open(write(t, dir, "short", []byte("abc"))); !errors.As(err, &format) {
		t.Errorf("a file of 3 bytes: %v, want a *FormatError", err)
	}
}

func TestAShortenedFileGivesNoTensor(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files are read whole on this system: shortening one later does no harm")
	}
	path := write(t, t.TempDir(), "f", file(twoTensors, 29))
	set, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if _, ok := set.Tensor("a"); !ok {
		t.Error("a whole file gives no tensor")
	}
	if err := os.Truncate(path, 20); err != nil {
		t.Fatal(err)
	}
	if _, ok := set.Tensor("a"); ok {
		t.Error("a shortened file gives a tensor")
	}
	if err := set.files[0].check(); err == nil || !strings.Contains(err.Error(), "to 20 bytes") {
		t.Errorf("check: %v", err)
	}
}

// FuzzHeader: whatever the bytes, either an error or a set whose tensors keep
// the promises of the package comment.
func FuzzHeader(f *testing.F) {
	f.Add(file(twoTensors, 29))
	f.Add(file(`{}`, 0))
	f.Add(file(`{"x":{"dtype":"F4","shape":[2,8],"data_offsets":[0,8]}}`, 8))
	f.Add(file(`{"x":{"dtype":"F64","shape":[4611686018427387905,4],"data_offsets":[0,8]}}`, 8))
	f.Add(file(`{"x":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, content []byte) {
		set, err := parse("f", bytes.Clone(content))
		if err != nil {
			if _, ok := err.(*FormatError); !ok {
				t.Fatalf("error %T, want *FormatError", err)
			}
			return
		}
		total := 0
		for name, tensor := range set.tensors {
			elements := uint64(1)
			for _, dim := range tensor.Shape {
				if dim < 0 {
					t.Fatalf("%q has shape %v", name, tensor.Shape)
				}
				elements *= uint64(dim)
			}
			if elements*dtypeBits[tensor.DType] != 8*uint64(len(tensor.Data)) {
				t.Fatalf("%q: %d bytes for %v of %s", name, len(tensor.Data), tensor.Shape, tensor.DType)
			}
			total += len(tensor.Data)
		}
		if header := binary.LittleEndian.Uint64(content); total+lengthBytes+int(header) != len(content) {
			t.Fatalf("%d bytes of tensors after a header of %d in a file of %d", total, header, len(content))
		}
	})
}

// FuzzIndex: whatever the index says, no shard leaves the folder.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a":"1.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"..\\x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		shards, err := parseIndex(text)
		for tensor, shard := range shards {
			if err == nil && filepath.Dir(filepath.Join("d", shard)) != "d" {
				t.Fatalf("%q lies in %q", tensor, shard)
			}
		}
	})
}

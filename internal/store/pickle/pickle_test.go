package pickle

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// readFixture is one of the files that testdata/make.py writes.
func readFixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(data []byte) (*Checkpoint, error) { return Read(bytes.NewReader(data), int64(len(data))) }

// written is a checkpoint as safetensors, taken apart.
func written(t testing.TB, c *Checkpoint) (map[string]entry, []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := c.WriteSafetensors(context.Background(), &out); err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(out.Bytes())
	body := out.Bytes()[8+n:]
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(out.Bytes()[8:8+n], &raw); err != nil {
		t.Fatal(err)
	}
	delete(raw, "__metadata__")
	entries := map[string]entry{}
	for name, text := range raw {
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		entries[name] = e
	}
	return entries, body
}

// TestRead reads the same tensors from both formats.
func TestRead(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"torch.zip", "torch.old"} {
		c, err := read(readFixture(t, file))
		if err != nil {
			t.Fatal(file, err)
		}
		checkTensors(t, c)
	}
}

func checkTensors(t *testing.T, c *Checkpoint) {
	t.Helper()
	if got, want := c.Names(), []string{"half.bias", "position_ids", "rows.weight", "scalar", "turned.weight", "whole.weight"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	entries, body := written(t, c)
	for name, want := range map[string]struct {
		dtype  string
		shape  []int64
		values any
	}{
		"whole.weight":  {"F32", []int64{3, 4}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		"rows.weight":   {"F32", []int64{2, 4}, []float32{4, 5, 6, 7, 8, 9, 10, 11}},
		"turned.weight": {"F32", []int64{4, 3}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		"half.bias":     {"F16", []int64{4}, []uint16{0x3800, 0x3c00, 0xc000, 0x4400}},
		"position_ids":  {"I64", []int64{1, 3}, []int64{7, -8, 1 << 40}},
		"scalar":        {"F32", []int64{}, []float32{5}},
	} {
		var bytes []byte
		bytes, err := binary.Append(bytes, binary.LittleEndian, want.values)
		if err != nil {
			t.Fatal(err)
		}
		e := entries[name]
		if e.DType != want.dtype || !slices.Equal(e.Shape, want.shape) || !slices.Equal(body[e.Offsets[0]:e.Offsets[1]], bytes) {
			t.Errorf("%s: %+v, % x; want %+v", name, e, body[e.Offsets[0]:e.Offsets[1]], want)
		}
	}
}

// zipped is a zip of those entries in the folder "archive".
func zipped(t testing.TB, method uint16, entries map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, entries[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stored is the beginning of a program that puts storage "0" of n values on the stack.
func stored(n byte) string {
	return "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(" + "(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK" + string(n) + "tQ"
}

// TestReadRefuses: programs that would run something, and those that lie about sizes.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	tensor := func(n byte, view string) string { return stored(n) + view + "tRs." }
	for name, c := range map[string]struct{ program, want string }{
		"a command":                   {"\x80\x02cposix\nsystem\n(U\x08rm -rf /tR.", "posix.system is not allowed"},
		"a builtin":                   {"\x80\x02cbuiltins\neval\nU\x011\x85R.", "builtins.eval is not allowed"},
		"a name on the stack":         {"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system is not allowed"},
		"an instance":                 {"\x80\x02(ios\nsystem\n.", "instruction 0x69"},
		"a new object":                {"\x80\x02ctorch\nFloatStorage\n)\x81.", "instruction 0x81"},
		"an extension":                {"\x80\x02\x82\x01.", "instruction 0x82"},
		"a copy":                      {"\x80\x02K\x012.", "instruction 0x32"},
		"a call of a class":           {"\x80\x02ctorch\nFloatStorage\n)R.", "a call of a"},
		"no end":                      {"\x80\x02}", "bytes wanted"},
		"an empty stack":              {"\x80\x02.", "stack is empty"},
		"no mark":                     {"\x80\x02}u.", "no mark"},
		"a memo never written":        {"\x80\x02h\x05.", "memo 5"},
		"no dictionary":               {"\x80\x02K\x05.", "not a dictionary"},
		"no tensors":                  {"\x80\x02}.", "no tensors"},
		"an endless text":             {"\x80\x02X\xff\xff\xff\x7f.", "bytes wanted"},
		"an enormous text":            {"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "a count of"},
		"a number of 200 bytes":       {"\x80\x02\x8a\x10" + strings.Repeat("\x01", 16) + ".", "a number of 16 bytes"},
		"a list as a key":             {"\x80\x02}]K\x01s.", "a key of type"},
		"an odd dictionary":           {"\x80\x02}(K\x01u.", "a key without a value"},
		"more values than bytes":      {tensor(9, "K\x00K\x09\x85K\x01\x85"), "has 16 bytes"},
		"past the storage":            {tensor(4, "K\x01K\x04\x85K\x01\x85"), "a tensor of size [4]"},
		"strides past the storage":    {tensor(4, "K\x00K\x02\x85K\x04\x85"), "stride [4]"},
		"an offset past the storage":  {tensor(4, "K\x05K\x00\x85K\x01\x85"), "value 5 on"},
		"strides that overflow":       {tensor(4, "K\x00K\x03\x85\x8a\x08"+"\xff\xff\xff\xff\xff\xff\xff\x7f"+"\x85"), "stride"},
		"a negative size":             {tensor(4, "K\x00J\xff\xff\xff\xff\x85K\x01\x85"), "size [-1]"},
		"one value many times":        {tensor(4, "K\x00J\xff\xff\xff\x7f\x85K\x00\x85"), "stride [0]"},
		"strides of another number":   {tensor(4, "K\x00K\x02\x85)"), "1 dimensions and 0 strides"},
		"a storage that is not there": {strings.Replace(tensor(4, "K\x00K\x02\x85K\x01\x85"), "U\x010U", "U\x017U", 1), `no storage "7"`},
	} {
		data := zipped(t, zip.Store, map[string]string{"data.pkl": c.program, "data/0": strings.Repeat("\x00", 16)})
		if got, err := read(data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want it to say %q", name, got, err, c.want)
		}
	}
	sound := tensor(4, "K\x00K\x04\x85K\x01\x85")
	if _, err := read(zipped(t, zip.Store, map[string]string{"data.pkl": sound, "data/0": strings.Repeat("\x00", 16)})); err != nil {
		t.Errorf("the same program without a lie: %v", err)
	}
	for name, entries := range map[string]map[string]string{
		"no program": {"data/0": ""},
		"big-endian": {"data.pkl": sound, "data/0": strings.Repeat("\x00", 16), "byteorder": "big"},
		"too large":  {"data.pkl": sound, "data/0": strings.Repeat("\x00", 16), "byteorder": strings.Repeat("little", 3)},
	} {
		if _, err := read(zipped(t, zip.Store, entries)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if _, err := read(zipped(t, zip.Deflate, map[string]string{"data.pkl": sound, "data/0": strings.Repeat("\x00", 1<<20)})); err == nil || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("a compressed storage: %v", err)
	}
	if _, err := read([]byte("no zip")); !errors.Is(err, ErrFormat) {
		t.Errorf("no checkpoint: %v", err)
	}
}

func TestWriteEnds(t *testing.T) {
	t.Parallel()
	c, err := read(readFixture(t, "torch.zip"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.WriteSafetensors(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestReadRefusesStreams cuts the old format short at every byte, and lies in it.
func TestReadRefusesStreams(t *testing.T) {
	t.Parallel()
	whole := string(readFixture(t, "torch.old"))
	for n := range len(whole) {
		if _, err := read([]byte(whole[:n])); err == nil {
			t.Errorf("%d bytes of %d were read", n, len(whole))
		}
	}
	for old, lie := range map[string]string{
		"little_endianq\x02\x88":               "little_endianq\x02\x89",
		"K\x0cN":                               "K\x0dN", // of the first storage's values
		"\x03\x00\x00\x00\x00\x00\x00\x00\x07": "\x04\x00\x00\x00\x00\x00\x00\x00\x07",
		"M\xe9\x03":                            "M\xe8\x03",
		"torch._utils\n_rebuild_tensor_v2":     "torch._utils\n_rebuild_tensor_v3",
	} {
		if !strings.Contains(whole, old) {
			t.Fatalf("the fixture has no %q", old)
		}
		if _, err := read([]byte(strings.Replace(whole, old, lie, 1))); err == nil {
			t.Errorf("%q in place of %q was read", lie, old)
		}
	}
}

// FuzzRun feeds programs to the machine: whatever they are, it ends without a panic,
// and what it accepts can be written.
func FuzzRun(f *testing.F) {
	data := readFixture(f, "torch.zip")
	files, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		f.Fatal(err)
	}
	a := &archive{size: int64(len(data))}
	if err := a.index(files); err != nil {
		f.Fatal(err)
	}
	program, err := readAll(a.entries["data.pkl"], maxProgram)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(program)
	f.Add([]byte(stored(4) + "K\x00K\x04\x85K\x01\x85tRs."))
	f.Add([]byte("\x80\x02}q\x00(h\x00h\x00u]q\x01h\x01a."))
	f.Fuzz(func(t *testing.T, program []byte) {
		result, err := newMachine(program, a.storage).run()
		if err != nil {
			return
		}
		c, err := collect(result, a.open)
		if err != nil {
			return
		}
		entries, body := written(t, c)
		for name, e := range entries {
			if e.Offsets[1] > int64(len(body)) {
				t.Errorf("%s ends at %d of %d", name, e.Offsets[1], len(body))
			}
		}
	})
}

// FuzzRead feeds whole archives: what is written is as long as its header says, or an
// error, and never much longer than the archive times its tensors.
func FuzzRead(f *testing.F) {
	f.Add(readFixture(f, "torch.zip"))
	f.Add(readFixture(f, "torch.old"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := read(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if c.WriteSafetensors(context.Background(), &out) != nil {
			return // its checksums tell
		}
		var want int64
		for _, tensor := range c.tensors {
			want += tensor.count() * int64(tensor.bytes)
		}
		header := 8 + int64(binary.LittleEndian.Uint64(out.Bytes()))
		if int64(out.Len()) != header+want || want > int64(len(data)*len(c.tensors)) {
			t.Errorf("%d bytes; the header has %d, %d tensors %d", out.Len(), header, len(c.tensors), want)
		}
	})
}

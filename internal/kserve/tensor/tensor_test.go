package tensor_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/kserve/tensor"
)

func TestElements(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shape []int64
		want  int64
		fails bool
	}{
		{nil, 1, false},
		{[]int64{3, 4}, 12, false},
		{[]int64{3, 0, 7}, 0, false},
		{[]int64{-1, 4}, 0, true},
		{[]int64{math.MaxInt64, 2}, 0, true},
		{[]int64{1 << 32, 1 << 31}, 0, true},
	} {
		got, err := tensor.Elements(c.shape)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("Elements(%v) = %d, %v", c.shape, got, err)
		}
	}
	if _, err := tensor.ByteSize(tensor.Int64, []int64{math.MaxInt64 / 4}); err == nil {
		t.Error("a byte size beyond an int64 was counted")
	}
}

// TestStringsOnTheWire holds the layout to bytes written by hand from the
// protocol's text: a little-endian length of 4 bytes, then the element.
func TestStringsOnTheWire(t *testing.T) {
	t.Parallel()
	wire := []byte{2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 3, 0, 0, 0, 0xff, 0, 'z'}
	want := []string{"ab", "", "\xff\x00z"}
	if got := tensor.StringsData(want); !bytes.Equal(got, wire) {
		t.Errorf("StringsData = % x", got)
	}
	got, err := tensor.Strings(wire, 3)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Strings = %q, %v", got, err)
	}
}

func TestStringsThatLie(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		data []byte
		n    int64
		says string
	}{
		{"too long an element", []byte{9, 0, 0, 0, 'a'}, 1, "element 0 says it has 9 bytes but only 1"},
		{"the largest length", []byte{255, 255, 255, 255, 'a'}, 1, "4294967295"},
		{"half a length", []byte{1, 0, 0, 0, 'a', 1, 0}, 1, "2 bytes follow"},
		{"half a length where one is due", []byte{5, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 1, 0}, 2, "incomplete string length indicator of element 1"},
		{"too few", []byte{4, 0, 0, 0, 'a', 'b', 'c', 'd'}, 2, "got 1"},
		{"too many", []byte{0, 0, 0, 0, 0, 0, 0, 0}, 1, "4 bytes follow"},
		{"a shape beyond the data", nil, math.MaxInt64, "hold at most 0"},
	} {
		if _, err := tensor.Strings(c.data, c.n); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestIntsOfEveryWidth(t *testing.T) {
	t.Parallel()
	for _, d := range []tensor.Datatype{tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64, tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64} {
		want := []int64{0, 1, 100}
		if strings.HasPrefix(string(d), "INT") {
			want = append(want, -5)
		}
		var data []byte
		for _, v := range want {
			data = tensor.AppendInt(data, d, v)
		}
		if len(data) != len(want)*d.Size() {
			t.Errorf("%s: %d bytes", d, len(data))
		}
		got, err := tensor.Ints(d, data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", d, got, err)
		}
		if _, err := tensor.Ints(d, data[:len(data)-1]); err == nil && d.Size() > 1 {
			t.Errorf("%s: an element cut short was read", d)
		}
	}
	if _, err := tensor.Ints(tensor.FP32, make([]byte, 4)); err == nil {
		t.Error("FP32 was read as integers")
	}
}

func TestRawTakesNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	r := tensor.NewRaw([]byte("abcdef"))
	for _, size := range []int64{7, -1, math.MaxInt64} {
		if _, err := r.Next(size); err == nil {
			t.Errorf("Next(%d) of 6 bytes succeeded", size)
		}
	}
	got, err := r.Next(4)
	if err != nil || string(got) != "abcd" || r.Left() != 2 {
		t.Errorf("%q, %v, %d left", got, err, r.Left())
	}
}

// FuzzStrings feeds BYTES data of any kind: what is read must be what is written
// again, byte for byte.
func FuzzStrings(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0}, int64(2))
	f.Add([]byte{255, 255, 255, 255}, int64(1))
	f.Add([]byte{}, int64(math.MaxInt64))
	f.Add([]byte{0, 0, 0, 0}, int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, n int64) {
		if n < 0 {
			n = -(n + 1)
		}
		list, err := tensor.Strings(data, n)
		if err != nil {
			return
		}
		if int64(len(list)) != n || !bytes.Equal(tensor.StringsData(list), data) {
			t.Fatalf("%d elements %q of % x", n, list, data)
		}
	})
}

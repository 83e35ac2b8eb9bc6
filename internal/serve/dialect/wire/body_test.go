package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseBody(t *testing.T) {
	t.Parallel()
	b, err := ParseBody([]byte(` {"texts": ["a"], "unknown": {"deep": [1, {"x": null}]}, "normalize": false, "nothing": null, "normalize": true} `))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := b.Get("texts"); !ok || string(v) != `["a"]` {
		t.Errorf("texts = %s, %v", v, ok)
	}
	if v, _ := b.Get("normalize"); string(v) != "true" {
		t.Errorf("normalize = %s: the last of repeated names must count", v)
	}
	if b.Has("nothing") || b.Has("absent") || !b.Has("unknown") {
		t.Error("null and absent fields must not be there, unknown ones must")
	}
	for _, bare := range []string{`["a","b"]`, `"a"`, `3`, `null`} {
		b, err := ParseBody([]byte(bare))
		if err != nil || string(b.Bare) != bare {
			t.Errorf("%s: bare %s, %v", bare, b.Bare, err)
		}
	}
}

func TestParseBodyRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `{`, `{"a"`, `{"a":}`, `{"a":1,}`, `[1,2`, `"a`, `{"a":1}{"b":2}`, `nul`, `{"a":NaN}`, `{'a':1}`, "{\"a\":\"\x01\"}",
		strings.Repeat("[", 100_000),
	} {
		if b, err := ParseBody([]byte(text)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%.20q: %v, %v", text, b, err)
		}
	}
}

func TestScalars(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"a"`: "a", `"\u00e9\n\""`: "é\n\"", `"\ud83d\ude00"`: "😀", `"\ud83d"`: "�", `"\ude00x"`: "�x", "\"a\xffb\"": "a�b", `"\u0000"`: "\x00",
	} {
		if got, err := String("f", Value(text)); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]bool{`true`: true, `false`: false, `"True"`: true, `"0"`: false} {
		if got, err := Bool("f", Value(text)); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]int{`7`: 7, `-1`: -1, `8.0`: 8, `"12"`: 12, `1e2`: 100} {
		if got, err := Int("f", Value(text)); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	var wrong *FieldError
	for _, text := range []string{`1.5`, `"x"`, `null`, `[]`, `1e99`, `99999999999`} {
		if n, err := Int("f", Value(text)); !errors.As(err, &wrong) || wrong.Field != "f" {
			t.Errorf("%s as an integer: %d, %v", text, n, err)
		}
	}
}

// FuzzParseBody holds the parser against encoding/json: whatever one accepts as
// an object the other does, and the strings inside read the same.
func FuzzParseBody(f *testing.F) {
	for _, s := range []string{`{"texts":["a"],"n":1}`, `["a"]`, `"a\ud800"`, `{"a":{"b":[null,true]}}`, `{"a":"\xff"}`, `{"a":1e400}`, ` 1 `} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := ParseBody(data)
		var want any
		reference := json.Unmarshal(data, &want)
		var tooLarge *json.UnmarshalTypeError // a number beyond float64: valid JSON all the same
		if (err == nil) != (reference == nil || errors.As(reference, &tooLarge)) {
			if strings.Contains(errorText(reference), "exceeded max depth") || strings.Contains(errorText(err), "exceeded max depth") {
				t.Skip("deeper than one of them goes")
			}
			t.Fatalf("%q: %v, but encoding/json says %v", data, err, reference)
		}
		object, ok := want.(map[string]any)
		if err != nil || !ok || reference != nil {
			return
		}
		for name, value := range object {
			raw, there := body.Get(name)
			if there != (value != nil) {
				t.Fatalf("%q: field %q: %v", data, name, there)
			}
			if s, ok := value.(string); ok {
				got, err := String(name, raw)
				if err != nil || got != s || !utf8.ValidString(got) {
					t.Fatalf("%q: field %q is %q, want %q (%v)", data, name, got, s, err)
				}
			}
		}
	})
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

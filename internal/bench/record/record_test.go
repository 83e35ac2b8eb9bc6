package record

import "testing"

func TestWarningString(t *testing.T) {
	t.Parallel()
	for want, w := range map[string]Warning{
		"b: boom. See its log.":        {Stack: "b", Text: "boom", Advice: "See its log."},
		"b does not embed: 500. Wait.": {Stack: "b", Text: "b does not embed: 500", Advice: "Wait."},
		"Too short.":                   {Text: "Too short."},
	} {
		if have := w.String(); have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
}

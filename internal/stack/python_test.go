package stack

import (
	"slices"
	"testing"
)

func TestRange(t *testing.T) {
	t.Parallel()
	r := Range{From: "3.9", Below: "3.12"}
	for version, want := range map[string]bool{
		"3.8.18": false, "3.9.0": true, "3.9": true, "3.11.7": true, "3.12.0": false, "3.100.1": false, "2.7.18": false, "4.0.0": false,
		"": false, "3": false, "three.nine": false, "3.11.0rc1": true,
	} {
		if got := r.holds(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
	if want := []string{"python3", "python", "python3.11", "python3.10", "python3.9"}; !slices.Equal(r.candidates(), want) {
		t.Errorf("candidates %q", r.candidates())
	}
	if r.newest() != "3.11" {
		t.Errorf("newest %s", r.newest())
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCalibrationFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "texts.txt")
	for content, want := range map[string][]string{
		"a\nb c\n":                    {"a", "b c"},
		"a\r\n\r\n  b \n":             {"a", "  b "},
		"one\n":                       nil,
		"":                            nil,
		strings.Repeat("a\n", 10_001): nil,
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := (&serveCommand{Calibration: file}).calibration()
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%.20q: %q, %v", content, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "10000")) {
			t.Errorf("%v", err)
		}
	}
	if _, err := (&serveCommand{Calibration: file + ".none"}).calibration(); err == nil {
		t.Error("a file that is not there")
	}
	if got, err := (&serveCommand{}).calibration(); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

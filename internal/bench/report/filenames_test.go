package report

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

func TestFileNames(t *testing.T) {
	t.Parallel()
	names := fileNames([]record.Stack{{Name: "paceline/fastapi"}, {Name: "Paceline-FastAPI"}, {Name: "../../etc/passwd"}, {Name: "tei:latest ü"}, {Name: "..."}})
	for name, want := range map[string]string{
		"paceline-fastapi": "paceline/fastapi", "paceline-fastapi-2": "Paceline-FastAPI",
		"-..-etc-passwd": "../../etc/passwd", "tei-latest--": "tei:latest ü", "stack": "...",
	} {
		if s := names[name]; s == nil || s.Name != want {
			t.Errorf("%q should be the file name of %s: %v", name, want, names)
		}
	}
}

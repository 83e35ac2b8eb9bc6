package stack

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// interpreter is a Python that was found on PATH.
type interpreter struct {
	path    string
	version string // such as 3.11.7
}

// String is the range in words.
func (r Range) String() string { return fmt.Sprintf("Python %s or newer, below %s", r.From, r.Below) }

// holds tells whether a version such as 3.11.7 is within the range.
func (r Range) holds(version string) bool {
	have := minor(version)
	return have >= minor(r.From) && have < minor(r.Below)
}

// minor makes 3.11 of 3.11.7 and orders it: 3011. A text that is no version gives 0.
func minor(version string) int {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	if errA != nil || errB != nil {
		return 0
	}
	return 1000*a + b
}

// candidates are the names of interpreters, the user's own choice first.
func (r Range) candidates() []string {
	names := []string{"python3", "python"}
	for v := minor(r.Below) - 1; v >= minor(r.From); v-- {
		names = append(names, fmt.Sprintf("python%d.%d", v/1000, v%1000))
	}
	return names
}

// find looks for an interpreter of the range on PATH. Without one, the error says
// which there are instead.
func (r Range) find(ctx context.Context) (interpreter, error) {
	var others []string
	for _, name := range r.candidates() {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := pythonVersion(ctx, path)
		switch {
		case ctx.Err() != nil:
			return interpreter{}, ctx.Err()
		case err != nil:
			others = append(others, path+" (does not run)")
		case r.holds(version):
			return interpreter{path, version}, nil
		default:
			others = append(others, fmt.Sprintf("%s (%s)", path, version))
		}
	}
	if len(others) == 0 {
		others = []string{"no Python"}
	}
	return interpreter{}, fmt.Errorf("%s is needed; on PATH there is %s", r, strings.Join(others, ", "))
}

func pythonVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "-c", "import platform; print(platform.python_version())").Output()
	return strings.TrimSpace(string(out)), err
}

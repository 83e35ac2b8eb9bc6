package token

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnsupported marks errors of files that ask for something which the reference has and this package lacks.
var ErrUnsupported = errors.New("not supported")

// unsupported names a component type that this package lacks, and those that it has.
func unsupported(component, name string, known ...string) error {
	return fmt.Errorf("%s of type %q is %w (known: %s)", component, name, ErrUnsupported, strings.Join(known, ", "))
}

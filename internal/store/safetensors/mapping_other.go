//go:build !unix

package safetensors

import "os"

// mapping is a file in memory: read whole, where the system cannot map it.
type mapping struct{ data []byte }

func openMapping(path string) (*mapping, error) {
	data, err := os.ReadFile(path)
	return &mapping{data}, err
}

func (m *mapping) check() error { return nil }

func (m *mapping) Close() error {
	m.data = nil
	return nil
}

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/paceline/paceline/internal/serve"
)

// maxCalibrationBytes bounds the file of --calibration.
const maxCalibrationBytes = 64 << 20

// calibration reads the texts of --calibration, one a line; empty lines do not
// count.
func (c *serveCommand) calibration() ([]string, error) {
	if c.Calibration == "" {
		return nil, nil
	}
	info, err := os.Stat(c.Calibration)
	if err != nil {
		return nil, fmt.Errorf("--calibration: %w", err)
	}
	if info.Size() > maxCalibrationBytes {
		return nil, fmt.Errorf("--calibration %s has %d bytes; the limit is %d: a thousand texts like those to come are enough", c.Calibration, info.Size(), maxCalibrationBytes)
	}
	data, err := os.ReadFile(c.Calibration)
	if err != nil {
		return nil, fmt.Errorf("--calibration: %w", err)
	}
	var texts []string
	for line := range strings.Lines(string(data)) {
		if text := strings.TrimRight(line, "\r\n"); text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) < 2 || len(texts) > serve.MaxCalibration {
		return nil, fmt.Errorf("--calibration %s has %d texts; it must have 2 to %d, one a line", c.Calibration, len(texts), serve.MaxCalibration)
	}
	return texts, nil
}

//go:build nvml && linux && (amd64 || arm64)

package sample

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// openNVML opens the library that the driver brings and finds its functions. It
// needs the system's C library beside it, so a program built with this file is
// linked dynamically; hence the build tag.
func openNVML() (*nvmlLibrary, error) {
	const file = "libnvidia-ml.so.1"
	library, err := purego.Dlopen(file, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("NVML: %w", err)
	}
	var l nvmlLibrary
	for _, f := range []struct {
		to   any
		name string
	}{
		{&l.init, "nvmlInit_v2"},
		{&l.shutdown, "nvmlShutdown"},
		{&l.count, "nvmlDeviceGetCount_v2"},
		{&l.handle, "nvmlDeviceGetHandleByIndex_v2"},
		{&l.name, "nvmlDeviceGetName"},
		{&l.utilization, "nvmlDeviceGetUtilizationRates"},
		{&l.memory, "nvmlDeviceGetMemoryInfo"},
		{&l.power, "nvmlDeviceGetPowerUsage"},
		{&l.energy, "nvmlDeviceGetTotalEnergyConsumption"},
		{&l.processes, "nvmlDeviceGetComputeRunningProcesses_v3"},
	} {
		symbol, err := purego.Dlsym(library, f.name)
		if err != nil {
			return nil, fmt.Errorf("NVML: %s has no %s: the driver is too old: %w", file, f.name, err)
		}
		purego.RegisterFunc(f.to, symbol)
	}
	return &l, nil
}

package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/paceline/paceline/internal/bench/record"
)

// machine describes this computer for a manifest; what it does not tell stays empty.
func machine(ctx context.Context, threads int) record.Machine {
	m := record.Machine{
		Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, GoVersion: runtime.Version(), Threads: threads,
		Governor: governor(),
	}
	if c, err := diagnoseCPU(ctx); err == nil {
		m.CPU, m.Cores, m.CPULevel = c.Model, c.Usable, c.Level
	}
	if memory, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		m.MemoryBytes = int64(memory.Total)
	}
	if release, err := host.KernelVersionWithContext(ctx); err == nil {
		m.Kernel = release
	}
	return m
}

// governor is how Linux chooses the first core's frequency.
func governor() string {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// versionAndCommit are the module's version and the commit it was built from,
// where the build recorded one.
func versionAndCommit() (module, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	return info.Main.Version, commit
}

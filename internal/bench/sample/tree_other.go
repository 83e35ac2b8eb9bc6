//go:build !linux

package sample

import (
	"fmt"

	"github.com/shirou/gopsutil/v4/process"
)

func usageOf(pid int) (Usage, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, err)
	}
	times, err := p.Times()
	if err != nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, err)
	}
	memory, err := p.MemoryInfo()
	if err != nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, err)
	}
	threads, err := p.NumThreads()
	if err != nil {
		return Usage{}, fmt.Errorf("process %d: %w", pid, err)
	}
	usage := Usage{CPUSeconds: times.User + times.System, RSSBytes: int64(memory.RSS), Threads: threads}
	if faults, err := p.PageFaults(); err == nil { // few systems tell
		usage.MinorFaults, usage.MajorFaults = int64(faults.MinorFaults), int64(faults.MajorFaults)
	}
	return usage, nil
}

func descendants(pid int) (found []int) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return nil
	}
	children, err := p.Children()
	if err != nil {
		return nil
	}
	for _, child := range children {
		found = append(found, int(child.Pid))
		found = append(found, descendants(int(child.Pid))...)
	}
	return found
}

// resetPeaks and peaks: this system keeps no high-water mark that can be reset.
func resetPeaks([]int) bool { return false }
func peaks([]int) int64     { return 0 }

// pssOf: this system does not tell.
func pssOf([]int) int64 { return 0 }

// machineSeconds: this system does not tell.
func machineSeconds() (programs, stolen float64) { return 0, 0 }

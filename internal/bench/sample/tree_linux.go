package sample

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticks a second in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const ticks = 100

// usageOf reads one process. Its CPU time comes from its clock, which counts
// nanoseconds, not from /proc/PID/stat, which counts hundredths of a second;
// that of its ended children there is no other way to know.
func usageOf(pid int) (Usage, error) {
	stat, err := readStat(pid)
	if err != nil {
		return Usage{}, err
	}
	var own unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|2), &own); err != nil { // CPUCLOCK_SCHED of a process, see clock_getcpuclockid
		return Usage{}, fmt.Errorf("CPU clock of process %d: %w", pid, err)
	}
	return Usage{
		CPUSeconds:  float64(own.Nano())/1e9 + float64(stat.childTicks)/ticks,
		RSSBytes:    stat.rssPages * int64(os.Getpagesize()),
		MinorFaults: stat.minorFaults, MajorFaults: stat.majorFaults, Threads: stat.threads,
	}, nil
}

// processStat is what /proc/PID/stat tells, as far as it is used here.
type processStat struct {
	parent                   int
	minorFaults, majorFaults int64 // with those of ended children that were waited for
	childTicks               int64 // user and system time of the same children
	threads                  int32
	rssPages                 int64
}

func readStat(pid int) (processStat, error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return processStat{}, fmt.Errorf("process %d: %w", pid, err)
	}
	stat, ok := parseStat(raw)
	if !ok {
		return processStat{}, fmt.Errorf("process %d: /proc/%d/stat reads %q", pid, pid, raw)
	}
	return stat, nil
}

// parseStat takes fields 4, 10 to 13, 16, 17, 20 and 24 of proc(5). They are
// counted from behind the last parenthesis, since a command's name may hold anything.
func parseStat(raw []byte) (s processStat, ok bool) {
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) < 22 {
		return s, false
	}
	field := func(n int) int64 {
		v, err := strconv.ParseInt(string(fields[n-3]), 10, 64)
		ok = ok && err == nil
		return v
	}
	ok = true
	s = processStat{
		parent: int(field(4)), minorFaults: field(10) + field(11), majorFaults: field(12) + field(13),
		childTicks: field(16) + field(17), threads: int32(field(20)), rssPages: field(24),
	}
	return s, ok
}

// descendants lists the processes under pid, parents before children.
func descendants(pid int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if stat, err := readStat(child); err == nil {
			children[stat.parent] = append(children[stat.parent], child)
		}
	}
	found := slices.Clone(children[pid])
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

// resetPeaks sets each process's high-water mark to what it holds now (proc(5),
// clear_refs). It is false if one cannot be: then the samples' largest must do.
func resetPeaks(pids []int) bool {
	for _, pid := range pids {
		if os.WriteFile("/proc/"+strconv.Itoa(pid)+"/clear_refs", []byte("5"), 0) != nil {
			return false
		}
	}
	return len(pids) > 0
}

// peaks sums the high-water marks since resetPeaks: no less than the tree's
// true peak, and exactly that of a single process.
func peaks(pids []int) (total int64) {
	for _, pid := range pids {
		total += kibibytes(pid, "status", "VmHWM: %d kB")
	}
	return total
}

// pssOf sums the proportional set sizes, 0 where one is not ours to read.
func pssOf(pids []int) (total int64) {
	for _, pid := range pids {
		total += kibibytes(pid, "smaps_rollup", "Pss: %d kB")
	}
	return total
}

// kibibytes finds a line of that form in a file of /proc/PID and gives it in bytes.
func kibibytes(pid int, file, form string) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		var kib int64
		if n, _ := fmt.Sscanf(string(line), form, &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// machineSeconds is the time of all programs, and that which a hypervisor gave to others
// while this machine wanted to run (proc(5), /proc/stat), each summed over its cores.
// Interrupts are in neither: whose they are is not told.
func machineSeconds() (programs, stolen float64) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	var user, nice, system, idle, wait, irq, softirq, steal int64
	if _, err := fmt.Sscan(strings.TrimPrefix(string(line), "cpu"), &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal); err != nil {
		return 0, 0
	}
	return float64(user+nice+system) / ticks, float64(steal) / ticks
}

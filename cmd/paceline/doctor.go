package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/pip"
)

// doctorCommand is `paceline doctor`.
type doctorCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// diagnosis is what this machine is to Paceline.
type diagnosis struct {
	Version   string          `json:"version"`
	Go        string          `json:"go"`
	System    string          `json:"system"` // operating system, architecture and kernel
	CPU       cpuDiagnosis    `json:"cpu"`
	Memory    memoryDiagnosis `json:"memory"`
	HugePages string          `json:"huge_pages"` // mode of transparent huge pages, and the reserved ones
	Caches    []cacheFolder   `json:"caches"`
	Hub       hubDiagnosis    `json:"hub"`
	Pip       string          `json:"pip"` // its version, or why there is none
}

type cpuDiagnosis struct {
	Model  string   `json:"model"`
	Cores  int      `json:"cores"`  // logical, of the machine
	Usable int      `json:"usable"` // after affinity and cgroup limits
	Level  string   `json:"level"`  // of kernels in use
	Levels []string `json:"levels"` // available here
}

type memoryDiagnosis struct {
	Total     uint64 `json:"total_bytes"`
	Available uint64 `json:"available_bytes"`
	Limit     uint64 `json:"limit_bytes,omitempty"` // of the cgroup; 0: none
}

type cacheFolder struct {
	Dir    string `json:"dir"`
	What   string `json:"what"`
	Exists bool   `json:"exists"`
	Models int    `json:"models"`
	Bytes  int64  `json:"bytes"`
}

type hubDiagnosis struct {
	Endpoint  string `json:"endpoint"`
	Offline   bool   `json:"offline"` // HF_HUB_OFFLINE: it was not asked
	Reachable bool   `json:"reachable"`
	Token     bool   `json:"token"` // one would be sent
	Error     string `json:"error,omitempty"`
}

// Run examines the machine and prints what it found. What is missing is a
// finding, not a failure.
func (c *doctorCommand) Run(ctx context.Context, app *kong.Kong) error {
	d, err := diagnose(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(app.Stdout, d)
	}
	return d.print(app.Stdout)
}

func diagnose(ctx context.Context) (*diagnosis, error) {
	o := store.FromEnvironment()
	d := &diagnosis{Version: version(), Go: runtime.Version(), HugePages: hugePages()}
	release, _ := host.KernelVersionWithContext(ctx) // empty where the system does not say
	d.System = strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + release)
	var err error
	if d.CPU, err = diagnoseCPU(ctx); err != nil {
		return nil, err
	}
	if memory, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		d.Memory = memoryDiagnosis{memory.Total, memory.Available, memoryLimit("/proc/self/cgroup", "/sys/fs/cgroup")}
	}
	if d.Caches, err = diagnoseCaches(o); err != nil {
		return nil, err
	}
	d.Hub = diagnoseHub(ctx, o)
	d.Pip = diagnosePip(ctx)
	return d, ctx.Err()
}

func diagnoseCPU(ctx context.Context) (cpuDiagnosis, error) {
	kernels, err := kernel.Open("")
	if err != nil {
		return cpuDiagnosis{}, err
	}
	d := cpuDiagnosis{Cores: runtime.NumCPU(), Usable: runtime.GOMAXPROCS(0), Level: string(kernels.Level())}
	for _, level := range kernel.Levels() {
		d.Levels = append(d.Levels, string(level))
	}
	if info, err := cpu.InfoWithContext(ctx); err == nil && len(info) > 0 {
		d.Model = info[0].ModelName
	}
	if n, err := cpu.CountsWithContext(ctx, true); err == nil {
		d.Cores = n
	}
	return d, nil
}

// memoryLimit is the lowest limit of this process's cgroup (version 2) and those
// above it; 0 when there is none.
func memoryLimit(self, root string) uint64 {
	text, err := os.ReadFile(self)
	if err != nil {
		return 0
	}
	_, group, ok := strings.Cut(strings.TrimSpace(string(text)), "0::")
	if !ok {
		return 0
	}
	var lowest uint64
	for dir := filepath.Join(root, group); strings.HasPrefix(dir, root); dir = filepath.Dir(dir) {
		value, err := os.ReadFile(filepath.Join(dir, "memory.max"))
		if err != nil {
			continue
		}
		limit, err := strconv.ParseUint(strings.TrimSpace(string(value)), 10, 64) // or "max"
		if err == nil && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}

// hugePages says how Linux gives large pages; elsewhere nothing is known.
func hugePages() string {
	const sys = "/sys/kernel/mm/"
	mode := "unknown"
	if text, err := os.ReadFile(sys + "transparent_hugepage/enabled"); err == nil {
		_, chosen, _ := strings.Cut(string(text), "[")
		mode, _, _ = strings.Cut(chosen, "]")
	}
	reserved := 0
	folders, _ := filepath.Glob(sys + "hugepages/hugepages-*/nr_hugepages")
	for _, file := range folders {
		text, _ := os.ReadFile(file)
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		reserved += n
	}
	return fmt.Sprintf("transparent: %s, reserved: %d", mode, reserved)
}

func diagnoseCaches(o store.Options) ([]cacheFolder, error) {
	entries, err := store.New(o).List()
	if err != nil {
		return nil, err
	}
	caches := []cacheFolder{{Dir: o.Cache, What: "Hugging Face cache"}, {Dir: o.Own, What: "Paceline's cache"}}
	for i := range caches {
		c := &caches[i]
		info, err := os.Stat(c.Dir)
		c.Exists = err == nil && info.IsDir()
		for _, e := range entries {
			if strings.HasPrefix(e.Dir, c.Dir+string(filepath.Separator)) {
				c.Models++
				c.Bytes += e.Bytes
			}
		}
	}
	return caches, nil
}

func diagnoseHub(ctx context.Context, o store.Options) hubDiagnosis {
	d := hubDiagnosis{Endpoint: o.Endpoint, Offline: o.Offline, Token: o.Token != ""}
	client, err := hub.New(hub.Options{Endpoint: o.Endpoint, Token: o.Token})
	if err == nil {
		defer client.Close()
		d.Endpoint = client.Endpoint()
		if !o.Offline {
			err = client.Reachable(ctx)
			d.Reachable = err == nil
		}
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}

func diagnosePip(ctx context.Context) string {
	found, err := pip.Find(ctx)
	if err != nil {
		return err.Error()
	}
	return strings.Join(found.Command, " ") + ": " + found.Version
}

func (d *diagnosis) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) { fmt.Fprintf(table, what+"\t"+format+"\n", args...) }
	line("paceline", "%s, %s", d.Version, d.Go)
	line("system", "%s", d.System)
	line("CPU", "%s", orDash(d.CPU.Model))
	line("cores", "%d usable of %d", d.CPU.Usable, d.CPU.Cores)
	line("kernels", "%s (available: %s)", d.CPU.Level, strings.Join(d.CPU.Levels, ", "))
	limit := "no limit"
	if d.Memory.Limit > 0 {
		limit = "limited to " + humanize.IBytes(d.Memory.Limit)
	}
	line("memory", "%s, %s available, %s", humanize.IBytes(d.Memory.Total), humanize.IBytes(d.Memory.Available), limit)
	line("huge pages", "%s", d.HugePages)
	for _, c := range d.Caches {
		line(c.What, "%s", c.describe())
	}
	line("hub", "%s", d.Hub.describe())
	line("pip", "%s", d.Pip)
	return table.Flush()
}

func (c *cacheFolder) describe() string {
	if !c.Exists {
		return c.Dir + ": not there yet"
	}
	return fmt.Sprintf("%s: %s, %s", c.Dir, english.Plural(c.Models, "model", ""), humanize.Bytes(uint64(c.Bytes)))
}

func (d *hubDiagnosis) describe() string {
	switch {
	case d.Offline:
		return d.Endpoint + ": not asked, HF_HUB_OFFLINE is set"
	case d.Reachable && d.Token:
		return d.Endpoint + ": reachable, with a token"
	case d.Reachable:
		return d.Endpoint + ": reachable"
	default:
		return d.Error
	}
}

package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"
)

// Finding is one requirement of a stack, held against this machine.
type Finding struct {
	What   string `json:"what"` // such as "memory"
	Met    bool   `json:"met"`
	Found  string `json:"found"`            // what there is
	Remedy string `json:"remedy,omitempty"` // what would provide it, when it is not met
}

// Examine holds every requirement of a stack against this machine. program is
// the user's own path of the program that the stack needs; empty: it is looked
// for on PATH.
func (h Home) Examine(ctx context.Context, d *Definition, gpu bool, program string) ([]Finding, error) {
	state, err := h.State(d, gpu)
	if err != nil {
		return nil, err
	}
	var list []Finding
	if n := d.Needs; len(n.Systems) > 0 {
		list = append(list, n.examineSystem())
	}
	if !gpu {
		for _, name := range d.Needs.Instructions {
			list = append(list, examineInstructions(name, instructions[name]))
		}
	}
	if d.Needs.Python != nil {
		list = append(list, d.Needs.examinePython(ctx))
	}
	for _, tool := range d.Needs.Tools {
		list = append(list, examineTool(tool))
	}
	if d.Needs.Program != nil {
		list = append(list, d.Needs.Program.examine(program))
	}
	if d.Needs.Memory > 0 {
		list = append(list, d.Needs.examineMemory(ctx))
	}
	if d.Needs.Disk > 0 && state != Installed {
		list = append(list, d.Needs.examineDisk(ctx, h.Dir))
	}
	return list, ctx.Err()
}

func (n *Needs) examineSystem() Finding {
	here := runtime.GOOS + "/" + runtime.GOARCH
	return Finding{
		What: "system " + strings.Join(n.Systems, " or "), Met: slices.Contains(n.Systems, here), Found: here,
		Remedy: "run it in a container or on such a machine (deploy/compose.yaml), and name its address with --target",
	}.settled()
}

func (n *Needs) examinePython(ctx context.Context) Finding {
	f := Finding{What: n.Python.String(), Remedy: fmt.Sprintf("install Python %s to %s and put it on PATH", n.Python.From, n.Python.newest())}
	python, err := n.Python.find(ctx)
	if err != nil {
		f.Found = err.Error()
		return f
	}
	f.Met, f.Found = true, python.path+" ("+python.version+")"
	return f.settled()
}

func examineTool(name string) Finding {
	f := Finding{What: "the tool " + name, Remedy: "install it with the system's package manager"}
	path, err := exec.LookPath(name)
	if err != nil {
		f.Found = "not on PATH"
		return f
	}
	f.Met, f.Found = true, path
	return f.settled()
}

func (p *Program) examine(path string) Finding {
	f := Finding{What: "the program " + p.Name, Remedy: p.Get}
	found, err := p.find(path)
	if err != nil {
		f.Found = err.Error()
		return f
	}
	f.Met, f.Found = true, found
	return f.settled()
}

// find gives the absolute path of the program.
func (p *Program) find(path string) (string, error) {
	name := p.Name
	if path != "" {
		name = path
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(found)
}

func (n *Needs) examineMemory(ctx context.Context) Finding {
	f := Finding{What: humanize.Bytes(uint64(n.Memory)) + " of memory", Remedy: "end other programs, or take a machine with more memory"}
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		f.Found = err.Error()
		return f
	}
	f.Met, f.Found = memory.Available >= uint64(n.Memory), humanize.Bytes(memory.Available)+" available"
	return f.settled()
}

func (n *Needs) examineDisk(ctx context.Context, dir string) Finding {
	f := Finding{What: humanize.Bytes(uint64(n.Disk)) + " of disk", Remedy: "free some, or point PACELINE_CACHE at a larger disk"}
	usage, err := disk.UsageWithContext(ctx, existing(dir))
	if err != nil {
		f.Found = err.Error()
		return f
	}
	f.Met, f.Found = usage.Free >= uint64(n.Disk), fmt.Sprintf("%s free for %s", humanize.Bytes(usage.Free), dir)
	return f.settled()
}

// settled drops the remedy of what needs none.
func (f Finding) settled() Finding {
	if f.Met {
		f.Remedy = ""
	}
	return f
}

// newest is the newest version that a range holds, such as 3.14.
func (r Range) newest() string {
	v := minor(r.Below) - 1
	return fmt.Sprintf("%d.%d", v/1000, v%1000)
}

// existing is the folder itself or the nearest one above it that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// HasGPU tells whether Python packages for NVIDIA's GPUs can use one here.
func HasGPU(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "nvidia-smi", "--list-gpus").Output()
	return err == nil && strings.Contains(string(out), "GPU 0")
}

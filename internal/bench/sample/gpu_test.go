package sample

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// fakeNVML is a driver with GPUs as the test sets them.
type fakeNVML struct {
	gpus  []fakeGPU
	fails map[string]nvmlReturn // by function
	open  int                   // inits without a shutdown
}

type fakeGPU struct {
	name        string
	utilization uint32
	used        uint64
	milliwatts  uint32
	millijoules uint64 // 0: does not count
	processes   []nvmlProcess
}

// library is the table of functions that the real library would fill. Handles are
// one more than the index.
func (f *fakeNVML) library() *nvmlLibrary {
	gpu := func(device uintptr) *fakeGPU { return &f.gpus[device-1] }
	return &nvmlLibrary{
		init:     func() nvmlReturn { f.open++; return f.fails["init"] },
		shutdown: func() nvmlReturn { f.open--; return 0 },
		count:    func(n *uint32) nvmlReturn { *n = uint32(len(f.gpus)); return f.fails["count"] },
		handle:   func(i uint32, device *uintptr) nvmlReturn { *device = uintptr(i) + 1; return f.fails["handle"] },
		name: func(device uintptr, name *byte, length uint32) nvmlReturn {
			copy(unsafe.Slice(name, length), gpu(device).name)
			return f.fails["name"]
		},
		utilization: func(device uintptr, rates *nvmlUtilization) nvmlReturn {
			rates.gpu = gpu(device).utilization
			return f.fails["utilization"]
		},
		memory: func(device uintptr, memory *nvmlMemory) nvmlReturn {
			memory.used = gpu(device).used
			return f.fails["memory"]
		},
		power: func(device uintptr, milliwatts *uint32) nvmlReturn {
			*milliwatts = gpu(device).milliwatts
			return f.fails["power"]
		},
		energy: func(device uintptr, millijoules *uint64) nvmlReturn {
			*millijoules = gpu(device).millijoules
			if *millijoules == 0 {
				return 3
			}
			return 0
		},
		processes: func(device uintptr, count *uint32, list *nvmlProcess) nvmlReturn {
			have := gpu(device).processes
			room := *count
			*count = uint32(len(have))
			if int(room) < len(have) {
				return nvmlInsufficientSize
			}
			copy(unsafe.Slice(list, room), have)
			return f.fails["processes"]
		},
	}
}

func TestNVMLReadings(t *testing.T) {
	t.Parallel()
	f := &fakeNVML{gpus: []fakeGPU{
		{name: "A", utilization: 90, used: 5000, milliwatts: 300_000, millijoules: 7_000_000,
			processes: []nvmlProcess{{pid: 10, used: 4000}, {pid: 99, used: 900}}},
		{name: "B", utilization: 30, used: 700, milliwatts: 100_000,
			processes: []nvmlProcess{{pid: 11, used: 600}, {pid: 12, used: ^uint64(0)}}},
	}}
	g, err := nvmlGPUs(f.library())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(g.Names, []string{"A", "B"}) || g.Reader != "nvml" {
		t.Errorf("%q by %s", g.Names, g.Reader)
	}
	clock := time.Unix(0, 0)
	g.device.(*nvmlReader).now = func() time.Time { return clock }
	if got, want := *g.read([]int{10, 11, 12}), (GPU{Count: 2, Utilization: 60, Bytes: 4600, Own: true, Watts: 400, Joules: 7000}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// GPU A counts its energy, that of B is summed up: 10 s at 100 to 200 W.
	clock = clock.Add(10 * time.Second)
	f.gpus[0].millijoules += 3_000_000
	f.gpus[1].milliwatts = 200_000
	got := *g.read([]int{1})
	if want := (GPU{Count: 2, Utilization: 60, Bytes: 5700, Watts: 500, Joules: 7000 + 3000 + 1500}); got != want {
		t.Errorf("%+v, want %+v: no process of ours, so all memory", got, want)
	}
	g.Close()
	if f.open != 0 {
		t.Errorf("%d more inits than shutdowns", f.open)
	}
}

// TestNVMLManyProcesses: the first room for their list is too small.
func TestNVMLManyProcesses(t *testing.T) {
	t.Parallel()
	f := &fakeNVML{gpus: []fakeGPU{{processes: make([]nvmlProcess, 1000)}}}
	for i := range f.gpus[0].processes {
		f.gpus[0].processes[i] = nvmlProcess{pid: uint32(i), used: 1}
	}
	g, err := nvmlGPUs(f.library())
	if err != nil {
		t.Fatal(err)
	}
	if got := g.read([]int{3, 999}); got == nil || got.Bytes != 2 || !got.Own {
		t.Errorf("%+v, want the 2 bytes of two processes", got)
	}
}

// TestNVMLFailures are told, and leave nothing initialised.
func TestNVMLFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    fakeNVML
		want string
	}{
		"no driver": {fakeNVML{gpus: []fakeGPU{{}}, fails: map[string]nvmlReturn{"init": 9}}, "the driver is not loaded"},
		"no GPU":    {fakeNVML{}, "counts no GPU"},
		"not ours":  {fakeNVML{gpus: []fakeGPU{{}}, fails: map[string]nvmlReturn{"handle": 4}}, "shows none"},
		"unknown":   {fakeNVML{gpus: []fakeGPU{{}}, fails: map[string]nvmlReturn{"count": 999}}, "error 999"},
	} {
		g, err := nvmlGPUs(c.f.library())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, g, err, c.want)
		}
		if c.f.open != 0 && c.f.fails["init"] == 0 {
			t.Errorf("%s: left initialised", name)
		}
	}
	lost := &fakeNVML{gpus: []fakeGPU{{}}, fails: map[string]nvmlReturn{}}
	g, err := nvmlGPUs(lost.library())
	if err != nil {
		t.Fatal(err)
	}
	lost.fails["memory"] = 15
	if got := g.read(nil); got != nil {
		t.Errorf("a GPU that fell off the bus reads %+v", got)
	}
}

// TestSMILines: power is summed over the time between a GPU's lines.
func TestSMILines(t *testing.T) {
	t.Parallel()
	clock := time.Unix(0, 0)
	r := &smiReader{now: func() time.Time { return clock }, latest: map[string]smiLine{}}
	say := func(text string) { r.lines(strings.NewReader(text)) }
	say("No devices were found\n")
	if got, err := r.read(nil); err != nil || got != (GPU{}) {
		t.Errorf("%+v, %v from no line", got, err)
	}
	say("0, 50, 1000, 100.0, NVIDIA X, with a comma\n1, 100, 2000, 200.0, NVIDIA X\n")
	clock = clock.Add(2 * time.Second)
	say("0, 70, 1500, 140.0, NVIDIA X, with a comma\n1, [N/A], 1800, 200.0, NVIDIA X\n")
	got, err := r.read(nil)
	if want := (GPU{Count: 2, Utilization: 35, Bytes: 3300 << 20, Watts: 340, Joules: 2*120 + 2*200}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestOpenGPUs ends what it starts, where there is a GPU, and says so where not.
func TestOpenGPUs(t *testing.T) {
	t.Parallel()
	g, err := OpenGPUs()
	if err != nil {
		if !errors.Is(err, ErrNoGPU) {
			t.Errorf("%v: want ErrNoGPU", err)
		}
		t.Skipf("no GPU to read: %v", err)
	}
	defer g.Close()
	if got := g.read(nil); got == nil || len(g.Names) == 0 {
		t.Errorf("%s: %q read %+v", g.Reader, g.Names, got)
	}
}

// TestGPUColumns: what a source reads of the GPUs is in the samples.
func TestGPUColumns(t *testing.T) {
	t.Parallel()
	f := &fakeNVML{gpus: []fakeGPU{{utilization: 50, used: 10, milliwatts: 1000, millijoules: 5000}}}
	gpus, err := nvmlGPUs(f.library())
	if err != nil {
		t.Fatal(err)
	}
	w := Start(&fixed{usage: func() Usage { return Usage{RSSBytes: 1, GPU: gpus.read(nil)} }})
	columns, _ := w.Stop(w.begun)
	s := columns.GPU
	if s == nil || len(s.At) != len(columns.At) || s.Own || s.Joules[0] != 5 || math.Abs(s.Utilization[0]-50) > 1e-9 || s.Bytes[0] != 10 || s.Watts[0] != 1 {
		t.Errorf("%+v", s)
	}
}

// fixed is a source with readings as the test gives them.
type fixed struct {
	usage func() Usage
	err   error
	asked []Want
}

func (f *fixed) From() string { return "test" }

func (f *fixed) Read(_ context.Context, want Want) (Usage, error) {
	f.asked = append(f.asked, want)
	if f.err != nil {
		return Usage{}, f.err
	}
	return f.usage(), nil
}

package sample

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// nvmlLibrary is what is called of the NVIDIA Management Library, by the names and
// with the layouts of nvml.h. Devices are handles; the results are nvmlReturn_t.
type nvmlLibrary struct {
	init        func() nvmlReturn                                                      // nvmlInit_v2
	shutdown    func() nvmlReturn                                                      // nvmlShutdown
	count       func(n *uint32) nvmlReturn                                             // nvmlDeviceGetCount_v2
	handle      func(index uint32, device *uintptr) nvmlReturn                         // nvmlDeviceGetHandleByIndex_v2
	name        func(device uintptr, name *byte, length uint32) nvmlReturn             // nvmlDeviceGetName
	utilization func(device uintptr, rates *nvmlUtilization) nvmlReturn                // nvmlDeviceGetUtilizationRates
	memory      func(device uintptr, memory *nvmlMemory) nvmlReturn                    // nvmlDeviceGetMemoryInfo
	power       func(device uintptr, milliwatts *uint32) nvmlReturn                    // nvmlDeviceGetPowerUsage
	energy      func(device uintptr, millijoules *uint64) nvmlReturn                   // nvmlDeviceGetTotalEnergyConsumption, Volta and later
	processes   func(device uintptr, count *uint32, processes *nvmlProcess) nvmlReturn // nvmlDeviceGetComputeRunningProcesses_v3
}

// nvmlReturn is nvmlReturn_t.
type nvmlReturn uint32

const nvmlInsufficientSize nvmlReturn = 7

// Error names the results that a reader may meet.
func (r nvmlReturn) Error() string {
	if text, known := map[nvmlReturn]string{
		1: "not initialised", 2: "invalid argument", 3: "not supported by this GPU", 4: "no permission", 9: "the driver is not loaded",
		12: "a function is missing: the driver is too old", 15: "the GPU fell off the bus", 18: "library and driver versions differ",
	}[r]; known {
		return "NVML: " + text
	}
	return fmt.Sprintf("NVML: error %d", uint32(r))
}

func (r nvmlReturn) err() error {
	if r == 0 {
		return nil
	}
	return r
}

type (
	nvmlUtilization struct{ gpu, _ uint32 }     // percent: of the GPU, of its memory's bandwidth
	nvmlMemory      struct{ _, _, used uint64 } // bytes
	nvmlProcess     struct {
		pid  uint32
		used uint64 // bytes; all ones: not known
		_, _ uint32 // its instances in MIG mode
	}
)

// nvmlDevice is one GPU with its energy, which is summed up here where the GPU
// does not count it.
type nvmlDevice struct {
	handle  uintptr
	counts  bool // its energy
	joules  float64
	watts   float64
	last    time.Time
	process []nvmlProcess // reused
}

type nvmlReader struct {
	library *nvmlLibrary
	devices []nvmlDevice
	now     func() time.Time
}

func nvmlGPUs(library *nvmlLibrary) (*GPUs, error) {
	if err := library.init().err(); err != nil {
		return nil, err
	}
	g := &GPUs{Reader: "nvml"}
	r := &nvmlReader{library: library, now: time.Now}
	var n uint32
	if err := library.count(&n).err(); err != nil || n == 0 {
		library.shutdown()
		return nil, errors.Join(errors.New("NVML counts no GPU"), err)
	}
	for i := range n {
		d := nvmlDevice{process: make([]nvmlProcess, 64)}
		if err := library.handle(i, &d.handle).err(); err != nil {
			continue // one that this user may not see
		}
		var millijoules uint64
		d.counts = library.energy(d.handle, &millijoules) == 0
		name := make([]byte, 96) // NVML_DEVICE_NAME_V2_BUFFER_SIZE
		library.name(d.handle, &name[0], uint32(len(name)))
		name, _, _ = bytes.Cut(name, []byte{0})
		g.Names = append(g.Names, string(name))
		r.devices = append(r.devices, d)
	}
	if len(r.devices) == 0 {
		library.shutdown()
		return nil, errors.New("NVML shows none of its GPUs")
	}
	g.device = r
	return g, nil
}

func (r *nvmlReader) close() { r.library.shutdown() }

// read asks every GPU. What one does not know, such as utilisation in MIG mode,
// counts as 0; one that knows nothing at all is an error.
func (r *nvmlReader) read(pids []int) (g GPU, err error) {
	var own, all int64
	seen := false
	g.Count = len(r.devices)
	for i := range r.devices {
		d := &r.devices[i]
		var rates nvmlUtilization
		var memory nvmlMemory
		if err := r.library.memory(d.handle, &memory).err(); err != nil {
			return GPU{}, err
		}
		r.library.utilization(d.handle, &rates)
		g.Utilization += float64(rates.gpu) / float64(len(r.devices))
		r.spend(d)
		g.Watts += d.watts
		g.Joules += d.joules
		all += int64(memory.used)
		bytes, found := r.memoryOf(d, pids)
		own += bytes
		seen = seen || found
	}
	g.Bytes, g.Own = all, seen
	if seen {
		g.Bytes = own
	}
	return g, nil
}

// spend reads power and energy.
func (r *nvmlReader) spend(d *nvmlDevice) {
	now := r.now()
	var milliwatts uint32
	watts := d.watts
	if r.library.power(d.handle, &milliwatts) == 0 {
		watts = float64(milliwatts) / 1e3
	}
	if !d.last.IsZero() && !d.counts {
		d.joules += (d.watts + watts) / 2 * now.Sub(d.last).Seconds()
	}
	d.watts, d.last = watts, now
	var millijoules uint64
	if d.counts && r.library.energy(d.handle, &millijoules) == 0 {
		d.joules = float64(millijoules) / 1e3
	}
}

// memoryOf sums what those processes hold on a GPU. It found none where they do
// not use it, or where NVML knows them by the ids of another namespace.
func (r *nvmlReader) memoryOf(d *nvmlDevice, pids []int) (total int64, found bool) {
	n := uint32(len(d.process))
	status := r.library.processes(d.handle, &n, &d.process[0])
	if status == nvmlInsufficientSize && n < 1<<16 {
		d.process = make([]nvmlProcess, 2*n+1)
		n = uint32(len(d.process))
		status = r.library.processes(d.handle, &n, &d.process[0])
	}
	if status != 0 {
		return 0, false
	}
	for _, p := range d.process[:min(int(n), len(d.process))] {
		if p.used != ^uint64(0) && slices.Contains(pids, int(p.pid)) {
			total += int64(p.used)
			found = true
		}
	}
	return total, found
}

package bench

import (
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestOthers: what neither client nor server took of the machine's time is known where
// the server is a process of this machine, and only there.
func TestOthers(t *testing.T) {
	t.Parallel()
	full := record.Samples{From: record.FromProcess, CPU: []float64{7, 10}, ClientCPU: []float64{1, 2}, MachineCPU: []float64{100, 106.5}}
	agent, blind, system := full, full, full
	agent.From, blind.CPU, system.MachineCPU = record.FromAgent, nil, nil
	for name, test := range map[string]struct {
		samples record.Samples
		want    float64
	}{"all known": {full, 2.5}, "a server elsewhere": {agent, 0}, "a server of which nothing is known": {blind, 0}, "a system that does not tell": {system, 0}} {
		if got := others(test.samples); got != test.want {
			t.Errorf("%s: %v seconds, want %v", name, got, test.want)
		}
	}
}

// TestDoubtMachine: beyond a twentieth of the machine's time, and not below.
func TestDoubtMachine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		m    machineTime
		want string
	}{
		{machineTime{others: 0.4, wanted: 10}, ""}, {machineTime{others: -0.4, wanted: 10}, ""},
		{machineTime{others: 0.6, wanted: 10}, "others"}, {machineTime{stolen: 0.6, wanted: 10}, "steal"},
	} {
		b := &bench{Config: Config{Watcher: &events{}}, machine: test.m}
		b.doubtMachine()
		if got := len(b.warnings); got != min(1, len(test.want)) || got == 1 && b.warnings[0].Code != test.want {
			t.Errorf("%+v: %v, want %q", test.m, b.warnings, test.want)
		}
	}
}

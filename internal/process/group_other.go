//go:build !unix

package process

import (
	"os"
	"syscall"
)

// ownGroup: this system has no process groups; the server's own process is ended.
func ownGroup() *syscall.SysProcAttr { return nil }

// ownSession: as ownGroup.
func ownSession() *syscall.SysProcAttr { return nil }

func ignoreRequestsToEnd() {}

// groupAlive cannot be told here: whoever asks waits out the grace.
func groupAlive(int) bool { return true }

// askGroup: there is no polite way here.
func askGroup(int) {}

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

// inGroup cannot be told here.
func inGroup(int, int) bool { return true }

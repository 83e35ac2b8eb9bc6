//go:build unix

package pip

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command the head of a process group, and its end the end of the group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

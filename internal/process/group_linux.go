package process

import "syscall"

// ownGroup puts the child into a group of its own, so that a Ctrl-C at the
// terminal reaches it only through Stop, and ties its life to ours.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

//go:build unix && !linux

package process

import "syscall"

// ownGroup puts the child into a group of its own. These systems have no signal
// for the children of the dead: a SIGKILL of this process leaves the server.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

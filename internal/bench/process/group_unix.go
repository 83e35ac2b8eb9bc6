//go:build unix

package process

import "syscall"

func askGroup(pid int)  { syscall.Kill(-pid, syscall.SIGTERM) }
func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

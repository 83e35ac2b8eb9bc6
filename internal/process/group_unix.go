//go:build unix

package process

import (
	"errors"
	"os/signal"
	"syscall"
)

func askGroup(pid int)  { syscall.Kill(-pid, syscall.SIGTERM) }
func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

func groupAlive(pid int) bool { return !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

// ownSession takes a keeper out of reach of the terminal and its signals.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// ignoreRequestsToEnd: a keeper ends when those whom it serves have.
func ignoreRequestsToEnd() {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
}

// inGroup is true for a process that ended meanwhile: it is nobody's any more.
func inGroup(pid, group int) bool {
	have, err := syscall.Getpgid(pid)
	return err != nil || have == group
}

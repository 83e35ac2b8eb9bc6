package sample

import (
	"net"
	"net/url"
	"strconv"

	psnet "github.com/shirou/gopsutil/v4/net"

	"github.com/paceline/paceline/internal/bench/loopback"
)

// Listener finds the process on this machine that serves a URL, by its port. It
// is 0 if the service is elsewhere, or its process is not ours to see.
func Listener(service string) (pid int) {
	u, err := url.Parse(service)
	if err != nil || !local(u.Hostname()) {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	sockets, err := psnet.Connections("tcp")
	if err != nil {
		return 0
	}
	for _, s := range sockets {
		if s.Status == "LISTEN" && int(s.Laddr.Port) == port && s.Pid != 0 {
			return int(s.Pid)
		}
	}
	return 0
}

// local tells whether a host leads to this machine: an address that stands for all of
// its own does too.
func local(host string) bool {
	return loopback.Is(host) || net.ParseIP(host).IsUnspecified()
}

package process

import (
	"fmt"

	psnet "github.com/shirou/gopsutil/v4/net"
)

// takenError says that the port was somebody else's by the time it answered.
type takenError struct{ port, pid int }

func (e *takenError) Error() string {
	return fmt.Sprintf("port %d was taken by process %d before the server listened on it", e.port, e.pid)
}

// owned fails if a process outside the server's group listens on its port: what
// answered the probe was not the server then. Where the system does not tell who
// listens, the answer is believed.
func (s *Server) owned() error {
	sockets, err := psnet.Connections("tcp")
	if err != nil {
		return nil
	}
	for _, socket := range sockets {
		if socket.Status == "LISTEN" && int(socket.Laddr.Port) == s.port && socket.Pid != 0 && !inGroup(int(socket.Pid), s.PID) {
			return &takenError{s.port, int(socket.Pid)}
		}
	}
	return nil
}

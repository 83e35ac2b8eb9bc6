package process

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// choosePorts takes the ports that a server prefers where they are free, and
// gives what replaces their marks.
func choosePorts(spec Spec) (port int, marks *strings.Replacer, err error) {
	if port, err = choosePort(spec.Port); err != nil {
		return 0, nil, err
	}
	pairs := []string{PortMark, strconv.Itoa(port)}
	for mark, preferred := range spec.Ports {
		further, err := choosePort(preferred)
		if err != nil {
			return 0, nil, err
		}
		pairs = append(pairs, mark, strconv.Itoa(further))
	}
	return port, strings.NewReplacer(pairs...), nil
}

func choosePort(preferred int) (int, error) {
	if preferred != 0 && !taken(preferred) {
		return preferred, nil
	}
	return freePort()
}

// freePort asks the system for a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func taken(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return true
	}
	l.Close()
	return false
}

func replaceAll(marks *strings.Replacer, texts []string) []string {
	replaced := make([]string, len(texts))
	for i, text := range texts {
		replaced[i] = marks.Replace(text)
	}
	return replaced
}

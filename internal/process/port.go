package process

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// choosePorts takes the ports that a server prefers where they are free, and
// gives what replaces their marks. No two are the same.
func choosePorts(spec Spec) (port int, marks *strings.Replacer, err error) {
	var chosen ports
	defer chosen.release()
	if port, err = chosen.choose(spec.Port); err != nil {
		return 0, nil, err
	}
	pairs := []string{PortMark, strconv.Itoa(port)}
	for mark, preferred := range spec.Ports {
		further, err := chosen.choose(preferred)
		if err != nil {
			return 0, nil, err
		}
		pairs = append(pairs, mark, strconv.Itoa(further))
	}
	return port, strings.NewReplacer(pairs...), nil
}

// ports are those of one server; those that the system chose are held until all
// are, or it might choose one twice.
type ports struct {
	numbers []int
	held    []net.Listener
}

func (p *ports) choose(preferred int) (int, error) {
	port := preferred
	if preferred == 0 || slices.Contains(p.numbers, preferred) || taken(preferred) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		p.held = append(p.held, l)
		port = l.Addr().(*net.TCPAddr).Port
	}
	p.numbers = append(p.numbers, port)
	return port, nil
}

func (p *ports) release() {
	for _, l := range p.held {
		l.Close()
	}
}

// taken tells whether somebody listens on a port. It knocks instead of listening
// itself: for the moment that it did, it would be in the way of a server that
// another process starts there.
func taken(port int) bool {
	const patience = time.Second // a listener that is too busy to answer listens all the same
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), patience)
	if err == nil {
		c.Close()
	}
	return !errors.Is(err, syscall.ECONNREFUSED)
}

// outrun tells whether a server failed to start because somebody else was quicker
// to listen on one of its ports than it was after we had found them free. Its own
// words count too: whoever was quicker may have gone since.
func (s *Server) outrun(err error) bool {
	var lost *takenError
	if errors.As(err, &lost) {
		return true
	}
	return errors.Is(err, errExited) && (addressInUse.MatchString(s.Tail()) || taken(s.port))
}

// addressInUse is EADDRINUSE in the words of the C library and of Windows, which
// every language passes on.
var addressInUse = regexp.MustCompile(`(?i)address already in use|only one usage of each socket address`)

// elsewhere is the spec without the ports that it prefers: they are contested.
func (s Spec) elsewhere() Spec {
	s.Port = 0
	s.Ports = maps.Clone(s.Ports)
	for mark := range s.Ports {
		s.Ports[mark] = 0
	}
	return s
}

func replaceAll(marks *strings.Replacer, texts []string) []string {
	replaced := make([]string, len(texts))
	for i, text := range texts {
		replaced[i] = marks.Replace(text)
	}
	return replaced
}

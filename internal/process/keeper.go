package process

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// Keeper is a process that outlives this one by some seconds and ends what this
// one left running. It learns of our end by the end of the pipe between us, so
// no way to die goes unnoticed.
type Keeper struct {
	mu    sync.Mutex
	pipe  io.WriteCloser
	child *exec.Cmd
}

// StartKeeper runs the keeper, a command that calls Keep with its standard input.
func StartKeeper(command ...string) (*Keeper, error) {
	child := exec.Command(command[0], command[1:]...)
	child.SysProcAttr = ownSession()
	pipe, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	return &Keeper{pipe: pipe, child: child}, nil
}

// Close ends the keeper; whatever it still watches it ends first.
func (k *Keeper) Close() error {
	if err := k.pipe.Close(); err != nil {
		return err
	}
	return k.child.Wait()
}

func (k *Keeper) watch(group int)  { k.tell('+', group) }
func (k *Keeper) forget(group int) { k.tell('-', group) }

// tell writes one line. A keeper that died cannot be told, and the servers are
// no worse off than without one.
func (k *Keeper) tell(what byte, group int) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	fmt.Fprintf(k.pipe, "%c%d\n", what, group)
}

// Keep is the keeper's work: it reads which groups to watch (+12) and to forget
// (-12), and when there is nobody left to say so, asks those still watched to
// end and kills them after the grace.
func Keep(r io.Reader, grace time.Duration) {
	ignoreRequestsToEnd()
	watched := map[int]bool{}
	for lines := bufio.NewScanner(r); lines.Scan(); {
		line := lines.Text()
		group, err := strconv.Atoi(line[min(1, len(line)):])
		if err != nil || group <= 1 {
			continue // never signal group 0, which is our own, or 1
		}
		if line[0] == '+' {
			watched[group] = true
		} else {
			delete(watched, group)
		}
	}
	for group := range watched {
		askGroup(group)
	}
	await := time.Now().Add(grace)
	for group := range watched {
		for groupAlive(group) && time.Now().Before(await) {
			time.Sleep(20 * time.Millisecond)
		}
		killGroup(group)
	}
}

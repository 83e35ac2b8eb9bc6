package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// Task is a command that ends by itself.
type Task struct {
	Name    string
	Command []string
	Env     []string          // added to this process's own
	Dir     string            // to run it in; empty: this process's own
	LogFile string            // its output is added to it
	Line    func(line string) // is told each line of output; nil: nobody is
	Keeper  *Keeper           // as in Spec
}

// Run runs a task to its end. An error names the log file and quotes its tail.
// When ctx ends, the task's group is killed and the context's error returned.
func Run(ctx context.Context, t Task) error {
	if err := os.MkdirAll(filepath.Dir(t.LogFile), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(t.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	runtime.LockOSThread() // as in Server.run
	defer runtime.UnlockOSThread()
	child := exec.CommandContext(ctx, t.Command[0], t.Command[1:]...)
	child.Env, child.Dir = append(os.Environ(), t.Env...), t.Dir
	output := &lineWriter{to: log, line: t.Line}
	child.Stdout, child.Stderr = output, output
	child.SysProcAttr = ownGroup()
	child.Cancel = func() error { killGroup(child.Process.Pid); return nil }
	child.WaitDelay = time.Second // for a grandchild that left the group and kept the output open
	if err := child.Start(); err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	t.Keeper.watch(child.Process.Pid)
	err = child.Wait()
	killGroup(child.Process.Pid) // what it left in the background
	t.Keeper.forget(child.Process.Pid)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", t.Name, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("%s: %w: %s", t.Name, err, describeTail(t.LogFile))
	}
	return nil
}

// lineWriter copies what it is given and tells each whole line.
type lineWriter struct {
	to   io.Writer
	line func(string)
	part []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	if w.line != nil {
		w.part = append(w.part, b...)
		for {
			line, rest, whole := bytes.Cut(w.part, []byte("\n"))
			if !whole {
				break
			}
			w.line(string(bytes.TrimSpace(line)))
			w.part = append(w.part[:0], rest...)
		}
		const longest = 64 << 10 // a line without an end is no reason to keep it all
		if len(w.part) > longest {
			w.part = w.part[:0]
		}
	}
	return w.to.Write(b)
}

//go:build unix

package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestKeeperEndsTheFamily: whoever supervised is killed without a word, and even
// a server's child that ignores requests to end goes.
func TestKeeperEndsTheFamily(t *testing.T) {
	t.Parallel()
	log := logFile(t)
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = append(os.Environ(), "PACELINE_TEST_ROLE=careful supervisor", "PACELINE_TEST_LOG="+log)
	out, err := supervisor.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Start(); err != nil {
		t.Fatal(err)
	}
	var server int
	if _, err := fmt.Fscan(out, &server); err != nil {
		t.Fatal(err)
	}
	child := childOf(t, describeTail(log))
	if !alive(server) || !alive(child) {
		t.Fatal("the server or its child is not there: the test shows nothing")
	}
	supervisor.Process.Kill()
	supervisor.Wait()
	gone(t, server)
	gone(t, child)
}

// TestKeepForgets: what is forgotten is spared, and no line can make it signal
// itself or everybody.
func TestKeepForgets(t *testing.T) {
	t.Parallel()
	s := start(t, t.Context(), spec("well", logFile(t)))
	keeper := exec.Command(os.Args[0], "keeper")
	keeper.Stdin = strings.NewReader(fmt.Sprintf("+%d\n\n+\n+x\n+0\n+-1\n+1\n-%d\n", s.PID, s.PID))
	if err := keeper.Run(); err != nil {
		t.Fatalf("the keeper ended itself: %v", err)
	}
	if !alive(s.PID) {
		t.Error("a server that was to be forgotten was ended")
	}
}

// TestKeeperCloses: a keeper that has nothing to watch goes at once.
func TestKeeperCloses(t *testing.T) {
	t.Parallel()
	keeper, err := StartKeeper(os.Args[0], "keeper")
	if err != nil {
		t.Fatal(err)
	}
	well := spec("well", logFile(t))
	well.Keeper = keeper
	s := start(t, t.Context(), well)
	s.Stop()
	if err := keeper.Close(); err != nil {
		t.Error(err)
	}
	gone(t, keeper.child.Process.Pid)
}

func TestKeeperNeedsACommand(t *testing.T) {
	t.Parallel()
	if _, err := StartKeeper(t.TempDir()); err == nil {
		t.Error("a folder was run")
	}
}

package process

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestKillLeavesNothing: whoever supervised a server is killed without a word.
func TestKillLeavesNothing(t *testing.T) {
	t.Parallel()
	supervisor := exec.Command(os.Args[0])
	supervisor.Env = append(os.Environ(), "PACELINE_TEST_ROLE=supervisor", "PACELINE_TEST_LOG="+logFile(t))
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
	if !alive(server) {
		t.Fatal("the server is not there: the test shows nothing")
	}
	supervisor.Process.Kill()
	supervisor.Wait()
	gone(t, server)
}

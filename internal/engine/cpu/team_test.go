package cpu

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// withHands runs f while n hands are in a team.
func withHands(n int, f func(t *team)) {
	team := newTeam()
	team.lead, team.limit = &worker{}, int32(n)
	team.gains.stake = time.Hour
	team.open.Store(true)
	var hands sync.WaitGroup
	for range n {
		team.hands.Add(1)
		hands.Go(func() { team.help(&worker{}, func() bool { return false }) })
	}
	f(team)
	team.close()
	hands.Wait()
}

// TestTeamDoesEveryTaskOnce: over many steps, each task is done by somebody, once,
// before share returns.
func TestTeamDoesEveryTaskOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3} {
		withHands(n, func(team *team) {
			for step := range 3000 {
				done := make([]int, step%7+1) // without a lock: a task's own element
				team.share(len(done), func(_, _ *worker, i int) { done[i]++ })
				for i, times := range done {
					if times != 1 {
						t.Fatalf("%d hands, step %d: task %d was done %d times", n, step, i, times)
					}
				}
			}
		})
	}
}

// TestTeamSharesTheWork: hands do take tasks, in the leader's name.
func TestTeamSharesTheWork(t *testing.T) {
	t.Parallel()
	withHands(2, func(team *team) {
		var meet sync.WaitGroup
		meet.Add(2)
		var others atomic.Int32
		team.share(2, func(lead, me *worker, _ int) { // neither ends before both have begun
			meet.Done()
			meet.Wait()
			if lead != team.lead {
				t.Error("the task is another leader's")
			}
			if me != lead {
				others.Add(1)
			}
		})
		if others.Load() == 0 {
			t.Error("the leader did both tasks, which wait for each other")
		}
	})
}

// TestTeamFault: a panic in anybody's task is the leader's, once no task runs any more.
func TestTeamFault(t *testing.T) {
	t.Parallel()
	withHands(2, func(team *team) {
		var ended atomic.Int32
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "a wild index") {
					t.Errorf("recovered %v", p)
				}
			}()
			team.share(20, func(_, _ *worker, i int) {
				defer ended.Add(1)
				if i == 7 {
					panic("a wild index")
				}
			})
		}()
		if ended.Load() != 20 {
			t.Errorf("%d of 20 tasks had ended when the leader went on", ended.Load())
		}
		team.share(3, func(*worker, *worker, int) { ended.Add(1) })
		if ended.Load() != 23 {
			t.Error("the team does not go on after a fault")
		}
	})
}

func TestHandLeavesWhenAsked(t *testing.T) {
	t.Parallel()
	team := newTeam()
	team.open.Store(true)
	team.help(&worker{}, func() bool { return true })
}

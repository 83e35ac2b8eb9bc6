package cpu

import "time"

// gains tells what a block's team was worth: how long the block took, against how long
// its leader would have needed alone.
type gains struct {
	steps  int
	own    float64       // sum of the leader's share of each step's tasks
	waited time.Duration // for hands to finish theirs
	stake  time.Duration // what may be waited before the leader goes on alone

	took, ran time.Duration // the whole block: by the clock, and of the leader's processor time
}

// add counts a step of n tasks, own of which were the leader's.
func (g *gains) add(own, n int, waited time.Duration) {
	g.steps++
	g.own += float64(own) / float64(n)
	g.waited += waited
}

// shared tells that hands did some of it.
func (g *gains) shared() bool { return g.own < float64(g.steps) }

// spent tells that the team is worth no more waiting.
func (g *gains) spent() bool { return g.waited > g.stake }

// measure times a block.
func (g *gains) measure(run func()) {
	began, ran, thread := time.Now(), threadTime(), currentThread()
	run()
	g.took, g.ran = time.Since(began), threadTime()-ran
	if currentThread() != thread { // a wait was so long that the runtime had it continue on another
		g.ran = g.took - g.waited
	}
}

// alone is how long the leader would have computed all tasks.
func (g *gains) alone() time.Duration {
	if g.own == 0 {
		return g.ran
	}
	return time.Duration(float64(g.ran) * float64(g.steps) / g.own)
}

// lost is how much longer the block took than it would have without hands: they kept
// the leader waiting, or from its core.
func (g *gains) lost() time.Duration { return g.took - g.alone() }

// ledger decides whether the next blocks may have teams, by what earlier ones were worth.
type ledger struct {
	pace    time.Duration // what a block takes its leader alone, on average
	credit  time.Duration // what teams may still lose
	alone   time.Time     // until when blocks go without
	penalty time.Duration // how many times as long as was lost they go without
}

// A team's gain counts for less than its loss, since a late answer is worse than an
// early one is good; a few blocks' worth of gains is kept. Once all is lost, blocks go
// without a team for a multiple of what was lost beyond, twice as large each time until
// some credit is gained again, by more blocks in a row than go well by chance: where other
// programs keep the cores, trying costs next to nothing, and one that came by is soon
// forgotten.
const (
	gainPart      = 4
	creditPaces   = 8
	forgivenPaces = 2
	leastPenalty  = 8
	mostPenalty   = 512
)

// settle enters a block's team.
func (l *ledger) settle(g *gains, now time.Time) {
	l.pace += (g.alone() - l.pace) / 8
	if lost := g.lost(); lost > 0 {
		l.credit -= lost
	} else {
		l.gain(-lost / gainPart)
	}
	if l.credit < -patience {
		l.penalty = min(max(2*l.penalty, leastPenalty), mostPenalty)
		l.alone = now.Add(-l.credit * l.penalty)
		l.credit = 0
	}
}

func (l *ledger) gain(gained time.Duration) {
	l.credit = min(l.credit+gained, creditPaces*l.pace)
	if l.credit >= forgivenPaces*l.pace {
		l.penalty = 0
	}
}

package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/goodput"
	"github.com/paceline/paceline/internal/bench/record"
)

// Where a search for goodput begins and how far it goes.
const (
	firstShare   = 0.5 // of the rate that one client at a time reaches
	leastRate    = 0.01
	mostRate     = 1e5
	mostTries    = 24
	confirmTimes = 4 // a confirming run has so many times the least requests
	mostLegs     = 4 // a try that shows nothing yet goes on so many times
)

// precision is the share by which the highest rate that passes and the lowest that
// fails may differ at last.
func (e Effort) precision() float64 {
	if e.Name == Quick.Name {
		return 0.1
	}
	return 0.05
}

// longestTry is how long the least requests of a try may take to come; stacks that
// hold so low a rate only are found by longer efforts.
func (e Effort) longestTry() time.Duration {
	switch {
	case e.Budget == 0:
		return 10 * time.Minute
	case e.Name == Quick.Name:
		return 20 * time.Second
	}
	return time.Minute
}

// seeker is one stack's search.
type seeker struct {
	*stack
	search *goodput.Search
	found  *record.Goodput
	texts  Texts
}

// searchGoodput finds the highest rate at which each stack keeps the objective. The
// stacks take turns try by try.
func (b *bench) searchGoodput(ctx context.Context) {
	if b.Demand.SLO == nil {
		return
	}
	texts := b.Data.upTo(b.Demand.SLO.Chars)
	if len(texts.Texts) == 0 {
		b.warn(record.Warning{Code: "no_texts", Text: fmt.Sprintf("No text has at most %s: goodput was not searched for.", english.Plural(b.Demand.SLO.Chars, "character", "")), Advice: "Raise chars, or give other texts with --data."})
		return
	}
	var seekers []*seeker
	for _, s := range b.compared(0) {
		seekers = append(seekers, b.seek(s, texts))
	}
	for active := true; active && ctx.Err() == nil; {
		active = false
		for _, s := range seekers {
			if rate, confirm, more := s.search.Next(); more && s.record.Error == "" && ctx.Err() == nil {
				active = true
				b.try(ctx, s, rate, confirm)
			}
		}
	}
}

func (b *bench) seek(s *stack, texts Texts) *seeker {
	d := b.Demand
	s.record.Goodput = &record.Goodput{SLO: d.SLO.String(), Arrivals: d.Arrivals.String(), Shape: d.shape()}
	start := firstShare / s.speed.seconds(Point{BatchSize: d.Mix.MeanBatch(d.BatchSize), Concurrency: 1}, 1)
	least := float64(d.SLO.Requests()) / b.Effort.longestTry().Seconds()
	return &seeker{stack: s, found: s.record.Goodput, texts: texts, search: goodput.NewSearch(start,
		goodput.Limits{Least: least, Most: mostRate, Precision: b.Effort.precision(), Tries: mostTries})}
}

// upTo keeps the texts of at most so many characters; 0: all.
func (t Texts) upTo(chars int) Texts {
	if chars == 0 {
		return t
	}
	var short []int
	for i, text := range t.Texts {
		if len([]rune(text)) <= chars {
			short = append(short, i)
		}
	}
	return t.pick(short)
}

// try holds a rate until it is shown whether it keeps the objective, and tells the
// search. A confirming run is one stretch whose length is known before.
func (b *bench) try(ctx context.Context, s *seeker, rate float64, confirm bool) {
	kind := "trying"
	if confirm {
		kind = "confirming"
	}
	b.Watcher.Stage(fmt.Sprintf("goodput of %s: %s %.4g requests/s", s.Name, kind, rate))
	t := &trial{slo: *b.Demand.SLO, record: record.Try{Rate: rate, Confirming: confirm, Repeat: len(s.found.Tries)}}
	for leg := 0; leg == 0 || leg < mostLegs && !confirm && t.undecided() && t.record.Seconds < b.Effort.longestTry().Seconds(); leg++ {
		cell, _, err := b.hold(ctx, s.stack, holding{
			sweep: record.SweepGoodput, rate: rate, duration: b.tryFor(rate, confirm), drain: t.slo.Patience(),
			repeat: t.record.Repeat, draw: mostLegs*t.record.Repeat + leg, enough: t.hopeless(b.tryFor(rate, confirm).Seconds() * rate),
		}, s.texts)
		if err != nil {
			b.lose(ctx, s.stack, err)
			s.search.Give("it was ended: " + err.Error())
			s.conclude()
			return
		}
		t.add(cell)
		b.machine.add(cell)
		b.keep(cell)
	}
	t.decide()
	s.found.Tries = append(s.found.Tries, t.record)
	s.search.Done(t.record.Verdict == record.Passed)
	s.conclude()
	b.doubtTrial(s.stack, t)
	if t.record.Verdict != record.Passed {
		s.calm(ctx)
	}
}

// tryFor is how long a rate is held: until the least requests have come, Poisson's
// luck included; as long as a slice; and so long that a rate which is above what the
// stack can do by the search's precision delays the last requests by twice the limit.
func (b *bench) tryFor(rate float64, confirm bool) time.Duration {
	n := float64(b.Demand.SLO.Requests())
	n += 3 * math.Sqrt(n)
	if confirm {
		n *= confirmTimes
	}
	return max(seconds(n/rate), b.Effort.Slice, seconds(2*b.Demand.SLO.Longest().Seconds()/b.Effort.precision()))
}

// conclude writes down what is known of the goodput so far.
func (s *seeker) conclude() {
	g := s.found
	g.Rate, g.Failing, g.Ended = s.search.Result()
	if g.Rate == 0 {
		return
	}
	last := g.Tries[len(g.Tries)-1]
	g.Texts = float64(last.Texts) / last.Seconds
	g.Confidence = 1
	for _, bound := range last.Bounds[:len(last.Bounds)-1] { // the last one is the errors
		g.Confidence = min(g.Confidence, bound.Confidence)
	}
}

// calm waits until a stack has worked off what a try left behind, which would take
// its share of the machine while another has its turn.
func (s *stack) calm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	s.driver.Embed(ctx, []string{"."}) // a failure shows in the next try
}

// doubtTrial warns of tries whose late sends may have decided them.
func (b *bench) doubtTrial(s *stack, t *trial) {
	if t.doubt == "" {
		return
	}
	b.doubtOnce(s, Point{Sweep: record.SweepGoodput}, fmt.Sprintf("at %.4g requests/s: %s", t.record.Rate, t.doubt))
}

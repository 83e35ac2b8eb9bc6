package bench

import (
	"time"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Effort is how much time a run may take and how it is spent.
type Effort struct {
	Name       string
	Budget     time.Duration // from the first server's start to the last one's end; 0: as long as it takes
	Repeats    int           // of every slice, where the budget allows
	Slice      time.Duration // that a slice is stretched to, where the budget allows
	Percentile float64       // of latency that the online cell must certify
	MaxBatch   int           // ceiling of the search for the largest batch
	Memory     int           // requests of a slice of the memory sweep
}

// The efforts. Four repeats are the least with which a difference can be shown, five
// that a comparison needs, ten that a claim needs. The budget of Default leaves a margin below the five minutes that
// are promised, for compiling the program and the reference vectors before, and the report after.
var (
	Quick   = Effort{Name: "quick", Budget: 45 * time.Second, Repeats: 4, Slice: 500 * time.Millisecond, Percentile: 0.95, MaxBatch: 128, Memory: 1}
	Default = Effort{Name: "default", Budget: 215 * time.Second, Repeats: 5, Slice: 2 * time.Second, Percentile: 0.95, MaxBatch: 256, Memory: 1}
	Full    = Effort{Name: "full", Repeats: 10, Slice: 10 * time.Second, Percentile: 0.99, MaxBatch: 4096, Memory: 10}
)

// Within is the effort that spends a given time: on up to ten repeats, then on longer
// slices. It is what a comparison of slow stacks wants, of which Default measures too little
// and Full lasts too long.
func Within(budget time.Duration) Effort {
	e := Default
	e.Name, e.Budget, e.Repeats, e.Slice = budget.String(), budget, Full.Repeats, Full.Slice
	return e
}

// Shares of the budget: memory repeats end and the search for the largest batch
// begins at these.
const (
	memoryShare   = 0.12
	maxBatchShare = 0.06
)

// onlineRequests is how many requests a repeat of the online cell needs so that
// all repeats together certify the percentile, with one in ten to spare.
func (e Effort) onlineRequests() int {
	return (stat.MinSamples(e.Percentile)*11/10 + e.Repeats - 1) / e.Repeats
}

// Point is one place of one sweep.
type Point struct {
	Sweep       record.Sweep
	BatchSize   int // texts a request; 0 in the offline sweep: the largest that the stack took
	Concurrency int
	TextLength  int     // characters; 0: the data's own
	Rate        float64 // requests a second of an open loop
	Scenario    string  // one of MLPerf's
	Headline    bool    // the summary table is made of it, so it keeps its repeats longest
}

// The cells that are not swept.
const (
	OnlineClients  = 8 // one text a request each: users of a search box
	offlineClients = 2 // with the largest batch each: one is waiting while one is computed
)

// Points lists what the stacks are loaded with: the batch sizes with one client,
// single texts from several clients, the concurrencies at one batch size, and at last,
// because it is the dearest, everything at once. Of the concurrencies the one that has
// as many clients as the online cell, or comes nearest below, is the headline's.
func Points(batchSizes, concurrency []int, concurrentBatch int) []Point {
	var list []Point
	for _, size := range batchSizes {
		list = append(list, Point{Sweep: record.SweepBatchSize, BatchSize: size, Concurrency: 1})
	}
	list = append(list, Point{Sweep: record.SweepOnline, BatchSize: 1, Concurrency: OnlineClients, Headline: true})
	headline := nearestBelow(concurrency, OnlineClients)
	for _, clients := range concurrency {
		list = append(list, Point{Sweep: record.SweepConcurrency, BatchSize: concurrentBatch, Concurrency: clients, Headline: clients == headline})
	}
	return append(list, Point{Sweep: record.SweepOffline, Concurrency: offlineClients, Headline: true})
}

// nearestBelow is the largest number up to a limit, or the smallest of all.
func nearestBelow(numbers []int, limit int) int {
	best := 0
	for _, n := range numbers {
		if best == 0 || best > limit && n < best || best < n && n <= limit {
			best = n
		}
	}
	return best
}

// atMost is an offline point for a stack that takes no larger batch: the same texts
// in more requests, and as many of them under way.
func (c planned) atMost(largest int) planned {
	if c.BatchSize <= largest {
		return c
	}
	times := (c.BatchSize + largest - 1) / largest
	c.BatchSize, c.Concurrency, c.Requests = largest, times*c.Concurrency, times*c.Requests
	return c
}

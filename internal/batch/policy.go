package batch

import "time"

// Policy decides when a batch is formed and what goes into it. Next is a pure
// function of its arguments: a Queue owns the clock and all state, so a policy
// is a plain value that can be compared, printed and tested by table.
type Policy interface {
	// Name is the policy's name in flags, records and documents.
	Name() string
	// Limits are constant for one value of a policy.
	Limits() Limits
	// Next is asked while requests wait and a batch may run (fewer than
	// Limits.InFlight do). It is asked again at each arrival, each departure,
	// whenever a batch ends, and at Decision.Until.
	Next(s State, now time.Time) Decision
}

// Limits bound what a policy's queue holds and what it hands over.
type Limits struct {
	InFlight int  // batches in the engine at once; 0: Options.Parallel
	Waiting  int  // requests that wait for the engine; another is refused; 0: not counted
	Accepted int  // requests that wait or run; another is refused; 0: not counted
	RunTexts int  // texts in one engine call; a larger batch runs as several, one after another; 0: not counted
	Turns    bool // a request that was split waits for its next turn behind the others
	Ordered  bool // requests are answered in the order in which they were accepted
}

// Ranked is a Policy for which not all requests are alike.
type Ranked interface {
	Policy
	// Rank is a pure function of the job, asked when it is accepted.
	Rank(j *Job) Rank
}

// Rank says how a request waits.
type Rank struct {
	Level   uint64        // those of a lower level come first
	Waiting int           // requests of its level that may wait; another is refused; 0: not counted
	Timeout time.Duration // after which it has waited too long; 0: never
	Delay   bool          // then it waits on, behind all others of its level; if not, it is refused
}

// State is what a policy sees of the queue.
type State struct {
	Waiting []Waiting // in order of acceptance, but see Limits.Turns and Ranked; never empty
	Free    time.Time // since when a batch may run: the end of the one that held the engine
	Closing bool      // no further request will come, so that waiting gains nothing
}

// Waiting is one request of which some texts have not yet been taken.
type Waiting struct {
	Items   []Item // the texts not yet taken
	Arrived time.Time

	request *request
	rank    Rank
	expires time.Time // zero: never
	delayed bool      // has expired once
}

// Decision is a policy's answer: take some texts now, or wait.
type Decision struct {
	Texts int       // take that many of the waiting texts, in order
	Until time.Time // with no Texts: ask again then; zero: ask again when something changes
}

func take(texts int) Decision        { return Decision{Texts: texts} }
func waitUntil(t time.Time) Decision { return Decision{Until: t} }

// countTexts is the number of texts that the requests still wait with.
func countTexts(waiting []Waiting) int {
	n := 0
	for _, w := range waiting {
		n += len(w.Items)
	}
	return n
}

// fill counts the leading texts that fit into both bounds, across the borders of
// requests. The first always fits: a text beyond the bounds travels alone.
func fill(waiting []Waiting, maxTokens, maxTexts int) int {
	texts, tokens := 0, 0
	for _, w := range waiting {
		for _, item := range w.Items {
			tokens += len(item.IDs)
			if texts > 0 && (tokens > maxTokens || texts == maxTexts) {
				return texts
			}
			texts++
		}
	}
	return texts
}

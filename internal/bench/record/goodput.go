package record

// Goodput is the outcome of one stack's search for the highest arrival rate at
// which it keeps a service-level objective. Each try is also a cell of
// [SweepGoodput] with its raw records.
type Goodput struct {
	SLO      string  `json:"slo"`              // as it was given: p99=50ms,errors<0.1%
	Arrivals string  `json:"arrivals"`         // of every try: poisson unless told otherwise
	Shape    string  `json:"shape,omitempty"`  // of the requests, in words: texts a request, or the mix
	Rate     float64 `json:"rate"`             // requests a second: the highest that a fresh run confirmed; 0: none
	Texts    float64 `json:"texts_per_second"` // at that rate
	Failing  float64 `json:"failing_rate"`     // the lowest rate above it that failed; 0: none did up to the search's end
	// Confidence is that with which the confirming run shows every percentile to be
	// within its bound (binomial, of its requests and those that were over it).
	Confidence float64 `json:"confidence"`
	Tries      []Try   `json:"tries"`
	Ended      string  `json:"ended"` // why the search went no further, in words
}

// Confirmed says whether there is a rate that the stack was shown to hold.
func (g *Goodput) Confirmed() bool { return g != nil && g.Rate > 0 }

// Verdict is what a try showed.
type Verdict string

// The verdicts of a try.
const (
	Passed  Verdict = "passed"
	Failed  Verdict = "failed"
	Suspect Verdict = "suspect" // the client, not the stack, may have set the pace: it counts as failed
)

// Try is one arrival rate held for a while.
type Try struct {
	Rate       float64      `json:"rate"` // requests a second, as the schedule had them in the mean
	Seconds    float64      `json:"seconds"`
	Requests   int          `json:"requests"`
	Failures   int          `json:"failures"`
	Late       int          `json:"late_sends"` // sent more than 1 ms after their time
	Texts      int          `json:"texts"`      // of the successes
	Confirming bool         `json:"confirming"` // a fresh run at a rate that had passed
	Verdict    Verdict      `json:"verdict"`
	Reason     string       `json:"reason,omitempty"` // of a verdict that is not passed
	Bounds     []BoundCheck `json:"bounds"`
	Repeat     int          `json:"repeat"` // of its cell: the number of the try
}

// BoundCheck holds one bound of the objective against a try.
type BoundCheck struct {
	Bound      string  `json:"bound"` // p99=50ms
	Limit      float64 `json:"limit"` // seconds of a percentile, a share of errors
	Value      float64 `json:"value"` // as measured, in the same unit; of failed requests the latency is infinite and shown as the longest seen
	Over       int     `json:"over"`  // requests beyond the limit, failed ones among them
	Allowed    int     `json:"allowed"`
	Confidence float64 `json:"confidence"` // that the true value is within the limit
}

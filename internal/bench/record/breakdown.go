package record

// Breakdown says where the time of a cell's successful requests went, as far as
// the service tells. The sums of a cell add up: all phases together are the time
// from the intended to the finished instant. A phase that the service does not
// tell is nil, and its time is in Network, or in Other where the service tells how
// long it had the request in all.
type Breakdown struct {
	Source   string `json:"source"`   // server-timing, tei, triton
	Requests int    `json:"requests"` // successful ones that told; the others are left out of every phase

	ClientQueue *Phase `json:"client_queue"` // from the intended time to the sending
	Network     *Phase `json:"network"`      // between client and service, and whatever the service does not tell of
	Queue       *Phase `json:"queue,omitempty"`
	Tokenize    *Phase `json:"tokenize,omitempty"`
	Inference   *Phase `json:"inference,omitempty"`
	Serialize   *Phase `json:"serialize,omitempty"`
	Other       *Phase `json:"other,omitempty"` // in the service, in none of its phases: reading the request, finishing the vectors
}

// Phase is one part of the requests' time, in seconds. Percentiles of phases do
// not add up; sums do. They are nil where single requests are not told of.
type Phase struct {
	Sum float64  `json:"sum"`
	P50 *float64 `json:"p50,omitempty"`
	P95 *float64 `json:"p95,omitempty"`
	P99 *float64 `json:"p99,omitempty"`
}

package serve

import (
	"sync/atomic"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// gate counts the requests that are inside and the bytes of their bodies, and
// refuses at once what there is no room for. A limit of 0 is none.
type gate struct {
	requests, bytes int64
	inside, held    atomic.Int64
}

// enter lets one request in until leave is called.
func (g *gate) enter() (leave func(), refused *dialect.Error) {
	if n := g.inside.Add(1); g.requests > 0 && n > g.requests {
		g.inside.Add(-1)
		return nil, overloaded("%d requests are in progress, which is the limit (--max-concurrent-requests)", g.requests)
	}
	return func() { g.inside.Add(-1) }, nil
}

// hold takes room for n more bytes, to be given back with drop.
func (g *gate) hold(n int64) *dialect.Error {
	if held := g.held.Add(n); g.bytes > 0 && held > g.bytes {
		g.held.Add(-n)
		return overloaded("request bodies take all of their %d bytes", g.bytes)
	}
	return nil
}

func (g *gate) drop(n int64) { g.held.Add(-n) }

func overloaded(format string, limit int64) *dialect.Error {
	e := dialect.Errorf(dialect.Overloaded, "", format+"; try again later", limit)
	e.RetryAfter = time.Second
	return e
}

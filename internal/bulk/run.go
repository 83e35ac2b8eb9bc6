package bulk

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/dataset"
)

// sink takes pieces and makes them last.
type sink interface {
	// done is what earlier runs have made last.
	done() progress
	commit(p *piece) error
	// finish gives the output its form and its name.
	finish() error
	// abandon lets go of an output that is not whole; what was committed stays.
	abandon() error
}

// Run embeds a job's rows. On an error, ctx's end included, all that came before in
// the input is kept where the output is a file, and the same job goes on from there.
// Its own errors are ErrJob, ErrExists, ErrOther and ErrBusy.
func Run(ctx context.Context, j Job) (Counts, error) {
	if err := j.check(); err != nil {
		return Counts{}, err
	}
	if j.sizes == (sizes{}) {
		j.sizes = usual
	}
	in, err := survey(&j)
	if err != nil {
		return Counts{}, err
	}
	out, err := openSink(&j, in)
	if err != nil {
		return Counts{}, err
	}
	r := &run{job: &j, in: in, out: out, done: out.done()}
	if err := r.run(ctx); err != nil {
		return out.done().Counts, errors.Join(err, out.abandon())
	}
	return out.done().Counts, out.finish()
}

// run is a job under way.
type run struct {
	job  *Job
	in   *input
	out  sink
	done progress // of all chunks that are encoded
}

// inFlight is how many chunks an encoder of that many threads has on their way: one
// for each thread and one that becomes tokens; and as many again, three times over,
// that were read or wait to be written, so that neither holds up the encoder.
func inFlight(threads int) (encoding, all int) { return threads + 1, 4 * (threads + 1) }

func (r *run) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	encoding, all := inFlight(r.job.Threads)
	order, work := make(chan *chunk, all), make(chan *chunk)
	pieces := make(chan *piece, 1)
	var readers, writer sync.WaitGroup
	var unread, unwritten error
	readers.Go(func() { unread = r.read(ctx, order, work) })
	for range encoding {
		readers.Go(func() {
			for c := range work {
				c.encode(ctx, r.job)
			}
		})
	}
	writer.Go(func() { unwritten = r.write(pieces, stop) })
	unencoded := r.collect(order, pieces)
	stop(unencoded)
	for range order { // the reader may be waiting to send
	}
	readers.Wait()
	close(pieces)
	writer.Wait()
	return cmp.Or(unwritten, unencoded, unread) // the first two end reading, too
}

// write commits pieces. After one that fails it ends the others' work, and takes what
// comes until they have heard of it.
func (r *run) write(pieces <-chan *piece, stop context.CancelCauseFunc) (err error) {
	for p := range pieces {
		if err != nil {
			continue
		}
		if err = r.out.commit(p); err != nil {
			stop(err)
		}
	}
	return err
}

// read sends chunks to be encoded and, in the same order, to be collected.
func (r *run) read(ctx context.Context, order, work chan<- *chunk) error {
	defer close(order)
	defer close(work)
	from := &reader{in: r.in, from: r.done}
	return from.read(ctx, func(c *chunk) bool {
		if len(c.rows) == 0 {
			return ctx.Err() == nil
		}
		select {
		case order <- c:
		case <-ctx.Done():
			return false
		}
		select {
		case work <- c:
		case <-ctx.Done():
			c.err = context.Cause(ctx)
			close(c.done)
			return false
		}
		return true
	})
}

// collect makes pieces of chunks until one has failed.
func (r *run) collect(order <-chan *chunk, pieces chan<- *piece) error {
	p := r.piece()
	for c := range order {
		if <-c.done; c.err != nil {
			r.send(p, pieces)
			return c.err
		}
		r.done.Counts.add(c.counts)
		r.done.Digest, r.done.read = c.digest, c.read
		p.add(c)
		if p.full(r.job) {
			r.send(p, pieces)
			p = r.piece()
		}
		r.job.Watcher.Progress(Status{Counts: r.done.Counts, Read: r.done.read, Bytes: r.in.bytes})
	}
	r.send(p, pieces)
	return nil
}

// send has a piece written, which ends with what is done now.
func (r *run) send(p *piece, pieces chan<- *piece) {
	if len(p.vectors) > 0 {
		p.done = r.done
		pieces <- p
	}
}

func (r *run) piece() *piece { return &piece{began: time.Now()} }

// piece is rows that are written together.
type piece struct {
	values  [][]any
	vectors [][]float32
	size    int
	began   time.Time
	done    progress // with them
}

func (p *piece) add(c *chunk) {
	for i, row := range c.rows {
		p.values = append(p.values, row.Values)
		p.vectors = append(p.vectors, c.vectors[i])
		p.size += 4*len(c.vectors[i]) + sizeOf(row.Values)
	}
}

func (p *piece) full(j *Job) bool {
	return p.size >= j.sizes.pieceBytes || len(p.vectors) >= j.sizes.pieceRows && time.Since(p.began) >= j.Checkpoint
}

// codec is a format of the output.
type codec interface {
	// begin is what a file begins with.
	begin() []byte
	// encode gives a piece as what is appended to a file of at bytes, and a note for end.
	encode(p *piece, at int64) (data, note []byte, err error)
	// end gives what ends the file and what it begins with from then on; nil is no change.
	end(rows int64, notes [][]byte) (begin, tail []byte, err error)
}

func newCodec(j *Job, kept []dataset.Column) (codec, error) {
	switch j.Format {
	case NPY:
		return npyCodec{j.Dim}, nil
	case Parquet:
		return newParquetCodec(kept, j.Origin)
	}
	return jsonlCodec{kept}, nil
}

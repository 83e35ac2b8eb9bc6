package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// What can keep a job from beginning.
var (
	ErrExists = errors.New("the output is there already")
	ErrOther  = errors.New("an unfinished run of another job is there")
	ErrBusy   = errors.New("another process is writing it")
)

// partial is what a folder beside an output is called after.
const partial = ".partial"

// openSink opens the output, or goes on with an unfinished one.
func openSink(j *Job, in *input) (sink, error) {
	c, err := newCodec(j, in.kept)
	if err != nil {
		return nil, err
	}
	if j.Out == "-" {
		s := &stream{w: j.Stdout, codec: c}
		return s, s.write(c.begin())
	}
	info, err := os.Stat(j.Out)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is there and no ordinary file: write to a file, or to standard output with -", j.Out)
	case err == nil && !j.Overwrite:
		return nil, fmt.Errorf("%s: %w: --overwrite replaces it when the new one is whole", j.Out, ErrExists)
	}
	o := &output{path: j.Out, dir: j.Out + partial, codec: c}
	if err := o.open(j, header{journalVersion, j.Origin, j.Format, in.want.Text, in.kept}); err != nil {
		return nil, errors.Join(err, o.abandon())
	}
	return o, nil
}

// output is a file that comes into being in a folder beside it: rows holds its
// content, journal says how much of that counts.
type output struct {
	path, dir string
	codec     codec
	lock      *flock.Flock
	locked    bool
	data      *os.File
	journal   *journal
}

func (o *output) open(j *Job, h header) error {
	if err := os.Mkdir(o.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	o.lock = flock.New(filepath.Join(o.dir, "lock"))
	var err error
	if o.locked, err = o.lock.TryLock(); err != nil {
		return err
	}
	if !o.locked {
		return fmt.Errorf("%s: %w", j.Out, ErrBusy)
	}
	rows, log := filepath.Join(o.dir, "rows"), filepath.Join(o.dir, "journal")
	if _, err := os.Stat(rows); j.Restart || errors.Is(err, os.ErrNotExist) {
		if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if o.journal, err = openJournal(log); err != nil {
		return err
	}
	if o.data, err = os.OpenFile(rows, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return err
	}
	if len(o.journal.pieces) == 0 {
		return o.begin(h)
	}
	return o.resume(j, h)
}

// begin starts both files anew.
func (o *output) begin(h header) error {
	if err := errors.Join(o.data.Truncate(0), o.journal.file.Truncate(0)); err != nil {
		return err
	}
	_, err := o.data.Write(o.codec.begin())
	_, seek := o.journal.file.Seek(0, io.SeekStart)
	if err := errors.Join(err, seek, o.data.Sync(), o.journal.append(h), syncDir(o.dir), syncDir(filepath.Dir(o.path))); err != nil {
		return err
	}
	o.journal.pieces = nil
	return nil
}

// resume cuts off what the journal does not tell of.
func (o *output) resume(j *Job, h header) error {
	different, err := o.journal.differences(h)
	if err != nil {
		return err
	}
	if different != "" {
		return fmt.Errorf("%s: %w: %s: go on with the options of then, or begin anew with --restart", o.dir, ErrOther, different)
	}
	last := o.journal.last()
	if info, err := o.data.Stat(); err != nil || info.Size() < last.Size {
		return errors.Join(err, fmt.Errorf("%s is shorter than its journal says: begin anew with --restart", o.data.Name()))
	}
	if err := o.data.Truncate(last.Size); err != nil {
		return err
	}
	if _, err := o.data.Seek(last.Size, io.SeekStart); err != nil {
		return err
	}
	j.Watcher.Resumed(o.dir, last.Rows)
	return nil
}

func (o *output) done() progress { return o.journal.last() }

// commit appends a piece, and only then what tells of it.
func (o *output) commit(p *piece) error {
	at, err := o.data.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	data, note, err := o.codec.encode(p, at)
	if err != nil {
		return err
	}
	if _, err := o.data.Write(data); err != nil {
		return err
	}
	p.done.Size, p.done.Note = at+int64(len(data)), note
	if err := errors.Join(o.data.Sync(), o.journal.append(p.done)); err != nil {
		return err
	}
	o.journal.pieces = append(o.journal.pieces, p.done)
	return nil
}

func (o *output) finish() error {
	var notes [][]byte
	for _, p := range o.journal.pieces {
		notes = append(notes, p.Note)
	}
	begin, tail, err := o.codec.end(o.done().Rows, notes)
	if err == nil {
		_, err = o.data.Write(tail)
	}
	if err == nil && begin != nil {
		_, err = o.data.WriteAt(begin, 0)
	}
	if err == nil {
		err = errors.Join(o.data.Sync(), o.data.Close(), o.journal.file.Close())
	}
	if err == nil {
		err = os.Rename(o.data.Name(), o.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(o.path))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("finish %s: %w", o.path, err), o.lock.Unlock())
	}
	return errors.Join(o.lock.Unlock(), os.RemoveAll(o.dir))
}

// abandon leaves nothing behind where nothing was done.
func (o *output) abandon() error {
	var errs []error
	if o.data != nil {
		errs = append(errs, o.data.Close())
	}
	if o.journal != nil {
		errs = append(errs, o.journal.file.Close())
	}
	if o.locked {
		errs = append(errs, o.lock.Unlock())
	}
	if o.journal != nil && len(o.journal.pieces) == 0 {
		errs = append(errs, os.RemoveAll(o.dir))
	}
	return errors.Join(errs...)
}

// syncDir makes the names in a folder last, where the system lets folders be synced.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // Windows refuses
	return d.Close()
}

// stream is an output that is read as it comes into being.
type stream struct {
	w       io.Writer
	codec   codec
	size    int64
	notes   [][]byte
	counted progress
}

func (s *stream) write(data []byte) error {
	n, err := io.Copy(s.w, bytes.NewReader(data))
	s.size += n
	return err
}

func (s *stream) done() progress { return s.counted }

func (s *stream) commit(p *piece) error {
	data, note, err := s.codec.encode(p, s.size)
	if err != nil {
		return err
	}
	s.notes, s.counted = append(s.notes, note), p.done
	return s.write(data)
}

func (s *stream) finish() error {
	_, tail, err := s.codec.end(s.counted.Rows, s.notes)
	if err != nil {
		return err
	}
	return s.write(tail)
}

func (s *stream) abandon() error { return nil }

package bench

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/paceline/paceline/internal/bench/record"
)

// recordFile takes the windows of a long load: record.Cell values as JSON, a line
// each, gzipped. It is written aside and takes its name when it is whole; each
// window is flushed, so that one that is left behind by a killed run can be read
// up to its last window.
type recordFile struct {
	path string
	file *os.File
	out  *bufio.Writer
	zip  *gzip.Writer
}

func newRecordFile(path string) (*recordFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(path + ".partial")
	if err != nil {
		return nil, err
	}
	out := bufio.NewWriter(file)
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed) // the client's CPU is short, the disk is not
	return &recordFile{path: path, file: file, out: out, zip: zip}, err
}

func (f *recordFile) add(c *record.Cell) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = f.zip.Write(append(line, '\n'))
	return errors.Join(err, f.zip.Flush(), f.out.Flush())
}

// close completes the file and gives it its name.
func (f *recordFile) close() error {
	if err := errors.Join(f.zip.Close(), f.out.Flush(), f.file.Close()); err != nil {
		return err
	}
	return os.Rename(f.file.Name(), f.path)
}

// discard removes a file that was not completed.
func (f *recordFile) discard() {
	f.file.Close()
	os.Remove(f.file.Name())
}

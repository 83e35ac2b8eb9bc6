package bulk

import (
	"fmt"

	"github.com/paceline/paceline/internal/dataset"
)

// input is the files of a job, looked at before the work begins: what is wrong with the
// last of them must not come out after hours.
type input struct {
	job    *Job
	stream *dataset.File // standard input
	bytes  int64         // of all files; 0 where that is not known
	kept   []dataset.Column
	want   dataset.Selection
}

func survey(j *Job) (*input, error) {
	in := &input{job: j, want: j.Columns}
	for i, name := range j.Inputs {
		f, err := in.open(name)
		if err != nil {
			return nil, err
		}
		in.bytes += f.Bytes
		if i == 0 && in.want.Keep == nil && j.Format != NPY {
			in.keepID(f)
		}
		if err := in.keep(f, i == 0); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if name == "-" {
			in.stream = f
			continue
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (in *input) open(name string) (*dataset.File, error) {
	switch {
	case name != "-":
		return dataset.Open(name, in.job.InputFormat)
	case in.stream != nil:
		return in.stream, nil
	case in.job.InputFormat == "":
		return dataset.OpenStream("standard input", in.job.Stdin, dataset.Lines)
	}
	return dataset.OpenStream("standard input", in.job.Stdin, in.job.InputFormat)
}

// keepID keeps the column that tells rows apart, if there is one.
func (in *input) keepID(f *dataset.File) {
	if id := f.IDColumn(); id != "" && id != in.want.Text {
		in.want.Keep = []string{id}
	}
}

// keep finds the kinds of the columns: text for those that are not the same in all
// files.
func (in *input) keep(f *dataset.File, first bool) error {
	for i, name := range in.want.Keep {
		column, ok := f.Column(name)
		switch {
		case !ok:
			return f.NoColumn(name)
		case first:
			in.kept = append(in.kept, column)
		case in.kept[i].Kind != column.Kind:
			in.kept[i].Kind = dataset.KindText
		}
	}
	return nil
}

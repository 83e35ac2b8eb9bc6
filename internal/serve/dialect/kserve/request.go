package kserve

import (
	"strings"
	"time"

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// Request is one inference request.
type Request struct {
	Model   string
	Version string // "" for the latest that is ready
	ID      string // the client's own; comes back in the answer

	Priority uint64        // 1 is the highest; 0 for the model's default
	Timeout  time.Duration // that the request may wait in the queue; 0 for the model's default

	Inputs  []tensor.Tensor
	Outputs []Output // those wanted; none for all

	// BinaryOutput sends outputs that Outputs does not name as raw tensors.
	BinaryOutput bool
	// Raw, unless nil, is a body without JSON: the data of the model's only input.
	Raw []byte
}

// Output is an output that a request asks for.
type Output struct {
	Name   string
	Binary bool // HTTP: as a raw tensor behind the JSON
}

// Response is the answer to a Request.
type Response struct {
	Model   string
	Version string // that answered
	ID      string
	Outputs []tensor.Tensor
}

// binary tells how an output goes out over HTTP.
func (r *Request) binary(name string) bool {
	for i := range r.Outputs {
		if r.Outputs[i].Name == name {
			return r.Outputs[i].Binary
		}
	}
	return r.BinaryOutput
}

// Wants tells whether an output is to be in the answer.
func (r *Request) Wants(name string) bool {
	for i := range r.Outputs {
		if r.Outputs[i].Name == name {
			return true
		}
	}
	return len(r.Outputs) == 0
}

// checkParameter refuses the names that the protocol keeps for itself.
func checkParameter(name string) error {
	if strings.HasPrefix(name, "triton_") && name != "triton_enable_empty_final_response" {
		return invalid("parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.")
	}
	return nil
}

func (r *Request) setTimeout(microseconds uint64) {
	const most = uint64(1<<63-1) / uint64(time.Microsecond)
	r.Timeout = time.Duration(min(microseconds, most)) * time.Microsecond
}

func invalid(format string, args ...any) error {
	return dialect.Errorf(dialect.Value, "", format, args...)
}

func noClassification(output string) error {
	return dialect.Errorf(dialect.Unsupported, "",
		"the classification extension is not supported: output '%s' is a vector without labels; ask for it without 'classification'", output)
}

func noSharedMemory(region string) error {
	return dialect.Errorf(dialect.NoModel, "", "Unable to find shared memory region: '%s'", region)
}

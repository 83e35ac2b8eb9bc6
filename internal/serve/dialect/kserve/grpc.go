package kserve

import (
	"encoding/binary"
	"math"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
)

// DecodeGRPC reads a ModelInfer message. Raw tensors refer to the message.
func DecodeGRPC(m *pb.ModelInferRequest) (*Request, error) {
	r := &Request{Model: m.ModelName, Version: m.ModelVersion, ID: m.Id, BinaryOutput: true}
	for name, p := range m.Parameters {
		if err := r.setParameter(name, p); err != nil {
			return nil, err
		}
	}
	r.Inputs = make([]tensor.Tensor, len(m.Inputs))
	if raw := len(m.RawInputContents); raw > 0 && raw != len(m.Inputs) {
		return nil, invalid("expected %d 'raw_input_contents' for model '%s', one for each input, got %d", len(m.Inputs), m.ModelName, raw)
	}
	for i, in := range m.Inputs {
		t := &r.Inputs[i]
		*t = tensor.Tensor{Name: in.Name, Datatype: tensor.Datatype(in.Datatype), Shape: in.Shape}
		if err := checkInput(t, in.Parameters); err != nil {
			return nil, err
		}
		if len(m.RawInputContents) == 0 {
			if err := setContents(t, in.Contents); err != nil {
				return nil, err
			}
			continue
		}
		if in.Contents != nil {
			return nil, invalid("contents field must not be specified when using raw_input_contents for '%s' for model '%s'", in.Name, m.ModelName)
		}
		t.Data = m.RawInputContents[i]
	}
	for _, o := range m.Outputs {
		if p := o.Parameters["shared_memory_region"]; p != nil {
			return nil, noSharedMemory(p.GetStringParam())
		}
		if o.Parameters["classification"] != nil {
			return nil, noClassification(o.Name)
		}
		r.Outputs = append(r.Outputs, Output{Name: o.Name, Binary: true})
	}
	return r, nil
}

func checkInput(t *tensor.Tensor, parameters map[string]*pb.InferParameter) error {
	if p := parameters["shared_memory_region"]; p != nil {
		return noSharedMemory(p.GetStringParam())
	}
	if t.Datatype.Size() < 0 {
		return invalid("invalid datatype for input %s: %q is not known", t.Name, string(t.Datatype))
	}
	if _, err := tensor.Elements(t.Shape); err != nil {
		return invalid("invalid shape for input '%s': %v", t.Name, err)
	}
	return nil
}

func (r *Request) setParameter(name string, p *pb.InferParameter) error {
	switch name {
	case "priority":
		n, err := unsignedParameter(name, p)
		r.Priority = n
		return err
	case "timeout":
		n, err := unsignedParameter(name, p)
		r.setTimeout(n)
		return err
	}
	return checkParameter(name)
}

func unsignedParameter(name string, p *pb.InferParameter) (uint64, error) {
	switch v := p.GetParameterChoice().(type) {
	case *pb.InferParameter_Uint64Param:
		return v.Uint64Param, nil
	case *pb.InferParameter_Int64Param:
		if v.Int64Param >= 0 {
			return uint64(v.Int64Param), nil
		}
	}
	return 0, invalid("invalid value type for '%s' parameter, expected uint64_param or a positive int64_param", name)
}

// setContents makes raw data of typed contents, which must all be of the field
// that belongs to the datatype.
func setContents(t *tensor.Tensor, c *pb.InferTensorContents) error {
	want, err := tensor.Elements(t.Shape)
	if err != nil {
		return invalid("invalid shape for input '%s': %v", t.Name, err)
	}
	n := 0
	switch t.Datatype {
	case tensor.Bytes:
		n = len(c.GetBytesContents())
		for _, e := range c.GetBytesContents() {
			t.Data = binary.LittleEndian.AppendUint32(t.Data, uint32(len(e)))
			t.Data = append(t.Data, e...)
		}
	case tensor.Int8, tensor.Int16, tensor.Int32:
		n, err = appendAll(t, c.GetIntContents())
	case tensor.Int64:
		n, err = appendAll(t, c.GetInt64Contents())
	case tensor.Uint8, tensor.Uint16, tensor.Uint32:
		n, err = appendAll(t, c.GetUintContents())
	case tensor.Uint64:
		n, err = appendAll(t, c.GetUint64Contents())
	case tensor.Bool:
		n = len(c.GetBoolContents())
		for _, b := range c.GetBoolContents() {
			t.Data = append(t.Data, truth(b))
		}
	case tensor.FP32:
		n = len(c.GetFp32Contents())
		t.Data = tensor.AppendFloats(nil, c.GetFp32Contents())
	case tensor.FP64:
		n = len(c.GetFp64Contents())
		for _, f := range c.GetFp64Contents() {
			t.Data = binary.LittleEndian.AppendUint64(t.Data, math.Float64bits(f))
		}
	default:
		return invalid("contents of %s are not supported for input '%s': use raw_input_contents", t.Datatype, t.Name)
	}
	if err != nil {
		return err
	}
	if int64(n) != want {
		return invalid("unexpected number of elements in the %s contents of input '%s': shape %s has %d, got %d",
			t.Datatype, t.Name, tensor.FormatShape(t.Shape), want, n)
	}
	return nil
}

// appendAll appends integers, which the message carries wider than some
// datatypes are.
func appendAll[T int32 | int64 | uint32 | uint64](t *tensor.Tensor, list []T) (int, error) {
	size := t.Datatype.Size()
	for i, v := range list {
		t.Data = tensor.AppendInt(t.Data, t.Datatype, int64(v))
		if size < 4 {
			if back, err := tensor.Ints(t.Datatype, t.Data[len(t.Data)-size:]); err != nil || back[0] != int64(v) {
				return 0, invalid("element %d of input '%s' is %d, which is no %s", i, t.Name, v, t.Datatype)
			}
		}
	}
	return len(list), nil
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// EncodeGRPC writes the answer to a request; tensors are raw, as the reference
// server sends them, and refer to the response.
func EncodeGRPC(answer *Response) *pb.ModelInferResponse {
	m := &pb.ModelInferResponse{ModelName: answer.Model, ModelVersion: answer.Version, Id: answer.ID}
	for i := range answer.Outputs {
		t := &answer.Outputs[i]
		m.Outputs = append(m.Outputs, &pb.ModelInferResponse_InferOutputTensor{Name: t.Name, Datatype: string(t.Datatype), Shape: t.Shape})
		m.RawOutputContents = append(m.RawOutputContents, t.Data)
	}
	return m
}

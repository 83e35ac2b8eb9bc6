package driver

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
)

// kserveGRPC drives KServe v2 over gRPC, tensors raw, with a connection for each
// Send under way.
type kserveGRPC struct {
	model   string
	target  string
	options []grpc.DialOption
	header  metadata.MD
	timeout time.Duration
	learned

	mu   sync.Mutex
	idle []*grpc.ClientConn
}

func newKServeGRPC(base string, o Options) (*kserveGRPC, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "grpc") {
		return nil, fmt.Errorf("URL %q: want http://host:port, https://host:port or grpc://host:port of the gRPC door", base)
	}
	g := &kserveGRPC{model: o.Model, target: "passthrough:" + u.Host, timeout: o.Timeout, header: metadata.MD{}}
	if g.model == "" {
		g.model = pipelineModel
	}
	for name, values := range o.Header {
		g.header.Append(strings.ToLower(name), values...)
	}
	secure := insecure.NewCredentials()
	if u.Scheme == "https" {
		secure = credentials.NewTLS(nil)
	}
	g.options = []grpc.DialOption{
		grpc.WithTransportCredentials(secure), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(encoded{}), grpc.MaxCallRecvMsgSize(maxReply)),
	}
	return g, nil
}

// Door names the API in words.
func (g *kserveGRPC) Door() string { return "KServe v2 over gRPC, binary tensors" }

// Prepare encodes the message.
func (g *kserveGRPC) Prepare(texts []string) (*Request, error) {
	wire, err := proto.Marshal(&pb.ModelInferRequest{
		ModelName:        g.model,
		Inputs:           []*pb.ModelInferRequest_InferInputTensor{{Name: "texts", Datatype: string(tensor.Bytes), Shape: []int64{int64(len(texts)), 1}}},
		Outputs:          []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "embeddings"}},
		RawInputContents: [][]byte{tensor.StringsData(texts)},
	})
	return &Request{Texts: len(texts), wire: wire}, err
}

// Send checks the reply's shape.
func (g *kserveGRPC) Send(ctx context.Context, r *Request) Reply {
	return g.exchange(ctx, r, func(rows, columns int, raw []byte) error {
		s, err := rawShape(rows, columns, raw)
		if err != nil {
			return err
		}
		return g.check(s, r.Texts)
	})
}

// Embed decodes the reply.
func (g *kserveGRPC) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	r, err := g.Prepare(texts)
	if err != nil {
		return nil, err
	}
	reply := g.exchange(ctx, r, func(rows, columns int, raw []byte) error {
		vectors = rawVectors(rows, columns, raw)
		return g.checkVectors(vectors, len(texts))
	})
	return g.learn(vectors, reply)
}

// exchange makes one call and hands the vectors' bytes to read.
func (g *kserveGRPC) exchange(ctx context.Context, r *Request, read func(rows, columns int, raw []byte) error) Reply {
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(ctx, g.header), g.timeout)
	defer cancel()
	conn, err := g.take()
	if err != nil {
		return Reply{Outcome: Refused, Detail: err.Error()}
	}
	defer g.put(conn)
	var wire []byte
	if err := conn.Invoke(ctx, pb.GRPCInferenceService_ModelInfer_FullMethodName, r.wire, &wire); err != nil {
		return callFailed(ctx, err)
	}
	var m pb.ModelInferResponse
	if err := proto.Unmarshal(wire, &m); err != nil {
		return Reply{Outcome: Malformed, Detail: err.Error()}
	}
	rows, columns, raw, err := embeddings(&m)
	if err != nil {
		return judged(err)
	}
	return judged(read(rows, columns, raw))
}

// embeddings is the tensor of that name.
func embeddings(m *pb.ModelInferResponse) (rows, columns int, raw []byte, err error) {
	if len(m.Outputs) != 1 || len(m.RawOutputContents) != 1 || m.Outputs[0].Name != "embeddings" ||
		m.Outputs[0].Datatype != string(tensor.FP32) || len(m.Outputs[0].Shape) != 2 {
		return 0, 0, nil, fmt.Errorf("%w: want one raw output, embeddings, FP32 of two dimensions", errMalformed)
	}
	shape, raw := m.Outputs[0].Shape, m.RawOutputContents[0]
	if size, err := tensor.ByteSize(tensor.FP32, shape); err != nil || size != int64(len(raw)) {
		return 0, 0, nil, fmt.Errorf("%w: shape %v with %d bytes", errMalformed, shape, len(raw))
	}
	if len(raw) == 0 {
		return int(min(shape[0], maxReply)), 0, nil, nil
	}
	return int(shape[0]), int(shape[1]), raw, nil
}

func (g *kserveGRPC) take() (*grpc.ClientConn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.idle); n > 0 {
		conn := g.idle[n-1]
		g.idle = g.idle[:n-1]
		return conn, nil
	}
	return grpc.NewClient(g.target, g.options...)
}

func (g *kserveGRPC) put(conn *grpc.ClientConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = append(g.idle, conn)
}

// Close ends the idle connections; the driver may be used again.
func (g *kserveGRPC) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.idle {
		_ = conn.Close() // nothing is under way on it
	}
	g.idle = nil
}

// plainStatus is how grpc-go reports an answer that is not gRPC's.
var plainStatus = regexp.MustCompile(`unexpected HTTP status code received from server: (\d+)`)

// callFailed classifies a call that ended in an error. That a connection was not
// to be had or broke, grpc-go tells by its messages alone.
func callFailed(ctx context.Context, err error) Reply {
	s, _ := grpcstatus.FromError(err)
	says := func(words string) bool { return strings.Contains(s.Message(), words) }
	detail := fmt.Sprintf("%v: %s", s.Code(), cut([]byte(s.Message())))
	if m := plainStatus.FindStringSubmatch(s.Message()); m != nil {
		code, _ := strconv.Atoi(m[1]) // digits, by the pattern
		return refusal(code, []byte(s.Message()))
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Reply{Outcome: Canceled}
	case s.Code() == codes.DeadlineExceeded:
		return Reply{Outcome: Timeout, Detail: detail}
	case says("error while dialing"), says("connection refused"):
		return Reply{Outcome: Refused, Detail: detail}
	case says("content-type"), says("malformed"):
		return Reply{Outcome: Malformed, Detail: detail}
	case says("RST_STREAM"), says("connection error"), says("error reading from server"), says("unexpected EOF"), says("transport is closing"):
		return Reply{Outcome: Reset, Detail: detail}
	case s.Code() == codes.ResourceExhausted:
		return Reply{Outcome: Overloaded, Detail: detail}
	}
	switch s.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented:
		return Reply{Outcome: Client4xx, Detail: detail}
	}
	return Reply{Outcome: Server5xx, Detail: detail}
}

// encoded is a codec for messages that are encoded already: what a request costs
// the client is paid in Prepare.
type encoded struct{}

func (encoded) Name() string { return "proto" }

func (encoded) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (encoded) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

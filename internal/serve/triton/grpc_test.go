package triton_test

import (
	"context"
	"io"
	"net"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/serve/triton"
)

// dial serves f's gRPC door in memory and connects to it.
func dial(t testing.TB, f *fixture) *grpc.ClientConn {
	t.Helper()
	conn, _ := dialDoor(t, f)
	return conn
}

// dialDoor is for those who shut the door themselves.
func dialDoor(t testing.TB, f *fixture) (*grpc.ClientConn, *triton.GRPC) {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	door := f.GRPC()
	served := make(chan error, 1)
	go func() { served <- door.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:tiny", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		if err := door.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return conn, door
}

func textsRequest(texts ...string) *pb.ModelInferRequest {
	return &pb.ModelInferRequest{
		ModelName:        "embedding_pipeline",
		Inputs:           []*pb.ModelInferRequest_InferInputTensor{{Name: "texts", Datatype: "BYTES", Shape: []int64{int64(len(texts)), 1}}},
		RawInputContents: [][]byte{tensor.StringsData(texts)},
	}
}

func TestModelInfer(t *testing.T) {
	t.Parallel()
	f := preset(t)
	client := pb.NewGRPCInferenceServiceClient(dial(t, f))
	for _, o := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}, {grpc.UseCompressor("deflate")}} {
		r := textsRequest("a short text")
		r.Id = "q"
		got, err := client.ModelInfer(t.Context(), r, o...)
		if err != nil {
			t.Fatal(err)
		}
		flat, err := tensor.Floats(got.RawOutputContents[0])
		if err != nil || !reflect.DeepEqual(flat, f.embed(t, "a short text")) || got.Id != "q" || got.ModelVersion != "1" {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestCallsThatDescribe(t *testing.T) {
	t.Parallel()
	f := preset(t)
	conn := dial(t, f)
	c, ctx := pb.NewGRPCInferenceServiceClient(conn), t.Context()
	live, err := c.ServerLive(ctx, &pb.ServerLiveRequest{})
	check(t, err, live.GetLive())
	ready, err := c.ServerReady(ctx, &pb.ServerReadyRequest{})
	check(t, err, ready.GetReady())
	model, err := c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "embedding_pipeline"})
	check(t, err, model.GetReady())
	server, err := c.ServerMetadata(ctx, &pb.ServerMetadataRequest{})
	check(t, err, server.GetName() == "triton")
	metadata, err := c.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "tokenizer", Version: "1"})
	check(t, err, len(metadata.GetOutputs()) == 2)
	config, err := c.ModelConfig(ctx, &pb.ModelConfigRequest{Name: "sentence_transformer"})
	check(t, err, config.GetConfig().GetMaxBatchSize() == 128)
	stats, err := c.ModelStatistics(ctx, &pb.ModelStatisticsRequest{})
	check(t, err, len(stats.GetModelStats()) == 3)
	index, err := c.RepositoryIndex(ctx, &pb.RepositoryIndexRequest{})
	check(t, err, len(index.GetModels()) == 3 && index.Models[0].State == "READY")
	trace, err := c.TraceSetting(ctx, &pb.TraceSettingRequest{})
	check(t, err, trace.GetSettings()["trace_level"].GetValue()[0] == "OFF")
	_, err = c.ModelReady(ctx, &pb.ModelReadyRequest{Name: "tokenizer", Version: "x"})
	wantCode(t, err, codes.InvalidArgument, "version should be an integral value > 0")
	_, err = c.ModelStatistics(ctx, &pb.ModelStatisticsRequest{Name: "nobody"})
	wantCode(t, err, codes.InvalidArgument, "requested model 'nobody' is not available")
	logs, err := c.LogSettings(ctx, &pb.LogSettingsRequest{})
	check(t, err, logs.GetSettings()["log_info"].GetBoolParam())
	memory, err := c.SystemSharedMemoryStatus(ctx, &pb.SystemSharedMemoryStatusRequest{})
	check(t, err, len(memory.GetRegions()) == 0)
	_, err = c.SystemSharedMemoryRegister(ctx, &pb.SystemSharedMemoryRegisterRequest{Name: "r"})
	wantCode(t, err, codes.Unimplemented, "shared memory")
	_, err = c.SystemSharedMemoryUnregister(ctx, &pb.SystemSharedMemoryUnregisterRequest{})
	check(t, err, true)
	_, err = c.ModelMetadata(ctx, &pb.ModelMetadataRequest{Name: "nobody"})
	wantCode(t, err, codes.NotFound, "Request for unknown model: 'nobody' is not found")

	health := grpc_health_v1.NewHealthClient(conn)
	for service, want := range map[string]grpc_health_v1.HealthCheckResponse_ServingStatus{"": 1, "inference.GRPCInferenceService": 1, "tokenizer": 1} {
		h, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		check(t, err, h.GetStatus() == want)
	}
	_, err = health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "nobody"})
	wantCode(t, err, codes.NotFound, "nobody")
	reflection, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	check(t, err, true)
	check(t, reflection.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}), true)
	answer, err := reflection.Recv()
	check(t, err, strings.Contains(answer.String(), "inference.GRPCInferenceService"))
	check(t, reflection.CloseSend(), true)
}

func check(t *testing.T, err error, ok bool) {
	t.Helper()
	if err != nil || !ok {
		t.Errorf("error %v, as expected: %v", err, ok)
	}
}

func wantCode(t *testing.T, err error, code codes.Code, says string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, want %v with %q", err, code, says)
	}
}

func TestCallsThatFail(t *testing.T) {
	t.Parallel()
	f := preset(t)
	client := pb.NewGRPCInferenceServiceClient(dial(t, f))
	r := textsRequest("a")
	r.Inputs[0].Datatype = "INT32"
	_, err := client.ModelInfer(t.Context(), r)
	wantCode(t, err, codes.InvalidArgument, "data-type is 'INT32', but model 'embedding_pipeline' expects 'BYTES'")
	_, err = client.ModelInfer(t.Context(), textsRequest(strings.Repeat("a", 2<<20)))
	wantCode(t, err, codes.ResourceExhausted, "larger than max")
	r = textsRequest("a")
	r.ModelName = "nobody"
	_, err = client.ModelInfer(t.Context(), r)
	wantCode(t, err, codes.NotFound, "nobody")
}

// slow is an engine that waits until it may go on.
type slow struct {
	started chan int // texts of the batch
	goOn    chan struct{}
}

func (s *slow) Run(ctx context.Context, b *model.Batch) error {
	s.started <- b.Len()
	select {
	case <-s.goOn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestDeadlineIsHonoured fills the engine and lets a call's deadline pass in the
// queue: it is answered at once and its texts are never computed.
func TestDeadlineIsHonoured(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	engine := &slow{started: make(chan int, 16), goOn: make(chan struct{})}
	f.runner = engine
	f.start(t, map[string]string{"m/config.pbtxt": oneModel("dynamic_batching {} instance_group { count: 1 }"), "m/1/": ""})
	client := pb.NewGRPCInferenceServiceClient(dial(t, f))
	first := make(chan error, 1)
	request := func(n int) *pb.ModelInferRequest {
		r := textsRequest(make([]string, n)...)
		r.ModelName = "m"
		return r
	}
	go func() {
		_, err := client.ModelInfer(context.Background(), request(1))
		first <- err
	}()
	<-engine.started
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client.ModelInfer(ctx, request(7))
	wantCode(t, err, codes.DeadlineExceeded, "")
	for failed := uint64(0); failed == 0; runtime.Gosched() { // the client's clock may be ahead of the server's
		list, err := f.Statistics("m", "")
		if err != nil {
			t.Fatal(err)
		}
		failed = list[0].InferenceStats.Fail.Count
	}
	close(engine.goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := client.ModelInfer(t.Context(), request(2)); err != nil {
		t.Error(err)
	}
	if n := <-engine.started; n != 2 {
		t.Errorf("a batch of %d texts was computed after the deadline of 7", n)
	}
}

// TestDeadlineIsAnsweredBeforeItPasses: the client has the server's word for it
// before the stream is reset, which some clients take for CANCELLED.
func TestDeadlineIsAnsweredBeforeItPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, options(t))
		engine := &slow{started: make(chan int, 16), goOn: make(chan struct{})}
		f.runner = engine
		f.start(t, map[string]string{"m/config.pbtxt": oneModel("dynamic_batching {}"), "m/1/": ""})
		client := pb.NewGRPCInferenceServiceClient(dial(t, f))
		for _, given := range []time.Duration{time.Millisecond, 50 * time.Millisecond, time.Minute} {
			ctx, cancel := context.WithTimeout(t.Context(), given)
			began := time.Now() // of the bubble's clock
			r := textsRequest("a")
			r.ModelName = "m"
			_, err := client.ModelInfer(ctx, r)
			wantCode(t, err, codes.DeadlineExceeded, "")
			if left, want := given-time.Since(began), min(given, 2*time.Millisecond); left != want {
				t.Errorf("of %v, %v were left, want %v", given, left, want)
			}
			cancel()
		}
	})
}

// TestStreamKeepsOrder sends requests of every size and one that is wrong; the
// answers come in their order, and the error does not end the stream.
func TestStreamKeepsOrder(t *testing.T) {
	t.Parallel()
	f := preset(t)
	client := pb.NewGRPCInferenceServiceClient(dial(t, f))
	stream, err := client.ModelStreamInfer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const n = 100 // more than a stream computes at once
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range n {
			r := textsRequest(make([]string, 1+i%5)...)
			r.Id = string(rune('A' + i))
			if i == 3 {
				r.ModelName = "nobody"
			}
			if err := stream.Send(r); err != nil {
				t.Error(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Error(err)
		}
	})
	defer sending.Wait()
	for i := range n {
		got, err := stream.Recv()
		if err != nil {
			t.Fatal(i, err)
		}
		if got.InferResponse.GetId() != string(rune('A'+i)) || (got.ErrorMessage != "") != (i == 3) {
			t.Fatalf("%d: %v", i, got)
		}
		if i != 3 && got.InferResponse.Outputs[0].Shape[0] != int64(1+i%5) {
			t.Fatalf("%d: %v", i, got.InferResponse.Outputs[0].Shape)
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}

// TestOpenStreamDoesNotHoldUpTheEnd shuts the door while a client keeps a
// stream open.
func TestOpenStreamDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	f := preset(t)
	l := bufconn.Listen(1 << 20)
	door := f.GRPC()
	served := make(chan error, 1)
	go func() { served <- door.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:tiny", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := pb.NewGRPCInferenceServiceClient(conn).ModelStreamInfer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(textsRequest("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if err := door.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
	<-served
}

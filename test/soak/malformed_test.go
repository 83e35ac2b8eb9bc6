package soak

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/process"
)

// mostGarbage bounds what the attack adds to the server's memory: a body of 32 MiB that grows while it is unpacked
// leaves four times that behind, three clients send such, and the collector lets twice as much lie.
const mostGarbage = 768 << 20

// TestMalformedTraffic sends KServe v2 as it should not be (damaged bodies, lying
// lengths, bombs, damaged messages, streams by the hundred that nobody reads,
// bytes that are no protocol) to both of its doors, beside good requests: each of
// these is answered right, the server's memory stays bounded, and nothing of it
// all goes on in the server afterwards.
func TestMalformedTraffic(t *testing.T) {
	server := start(t, program(t), []string{"--profile", "triton", "--grpc-port", grpcMark, "--metrics-port", metricsMark})
	grpcPort, metrics := given(server, "--grpc-port"), "http://127.0.0.1:"+given(server, "--metrics-port")
	before, err := goroutines(t.Context(), metrics)
	if err != nil {
		t.Fatal(err)
	}
	idle, err := sample.Of(server.PID)
	if err != nil {
		t.Fatal(err)
	}
	senders := []func(context.Context, *rand.Rand) error{
		hostileHTTP(t, server.URL), hostileGRPC(t, grpcPort), cutShort(strings.TrimPrefix(server.URL, "http://")),
		damagedHTTP(server.URL), damagedHTTP(server.URL), damagedGRPC(t, grpcPort),
		garbage(strings.TrimPrefix(server.URL, "http://")), garbage("127.0.0.1:" + grpcPort),
	}
	watch := sample.Start(sample.Process(server.PID, nil))
	at := map[string]string{"kserve-http": server.URL, "kserve-grpc": "grpc://127.0.0.1:" + grpcPort}
	ctx, cancel := context.WithTimeout(t.Context(), *duration)
	defer cancel()
	var clients sync.WaitGroup
	var good, bad atomic.Int64
	for dialect, url := range at {
		clients.Go(func() { good.Add(int64(sendGood(ctx, t, dialect, url))) })
	}
	began := time.Now()
	for seed, send := range senders {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(seed)))
			for ctx.Err() == nil {
				if err := send(ctx, random); err != nil {
					if !ending(ctx) {
						t.Error(err)
					}
					return
				}
				bad.Add(1)
			}
		})
	}
	clients.Wait()
	_, peak := watch.Stop(began)
	t.Logf("%d good requests beside %d bad ones in %v; memory: %d MB before, %d MB at most", good.Load(), bad.Load(), *duration, idle.RSSBytes>>20, peak>>20)
	if err := server.Crashed(); err != nil {
		t.Fatal(err)
	}
	if good.Load() == 0 || bad.Load() == 0 {
		t.Error("nothing was tried")
	}
	if more := peak - idle.RSSBytes; more > mostGarbage {
		t.Errorf("memory grew by %d MB, the bound is %d MB", more>>20, mostGarbage>>20)
	}
	wantQuiet(t, metrics, before)
}

// wantQuiet waits until the server has no more goroutines than before, but for
// those of connections that clients keep.
func wantQuiet(t *testing.T, metrics string, before int) {
	const kept = 16
	var now int
	for began := time.Now(); time.Since(began) < patience; {
		var err error
		if now, err = goroutines(t.Context(), metrics); err != nil {
			t.Fatal(err)
		}
		if now <= before+kept {
			t.Logf("the server's goroutines: %d before, %d after", before, now)
			return
		}
	}
	t.Errorf("the server has %d goroutines, before it had %d", now, before)
}

// ending tells whether an error may be the end of the test's time: a dial says so
// before the context does.
func ending(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	return ctx.Err() != nil || time.Until(deadline) < 100*time.Millisecond
}

// given is what the server was started with for a flag.
func given(server *process.Server, flag string) string {
	return server.Command[slices.Index(server.Command, flag)+1]
}

var goodTexts = []string{"a good request among many bad ones", "", "and a longer text that has nothing wrong with it at all"}

// sendGood sends the same texts until ctx ends and holds every answer to the first.
func sendGood(ctx context.Context, t *testing.T, dialect, url string) (answered int) {
	d, err := driver.Open(dialect, url, driver.Options{Timeout: patience})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer d.Close()
	var want [][]float32
	for ctx.Err() == nil {
		got, err := d.Embed(context.WithoutCancel(ctx), goodTexts)
		if err != nil {
			t.Errorf("%s: a good request: %v", dialect, err)
			return answered
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: answer %d has other vectors", dialect, answered)
			return answered
		}
		answered++
	}
	return answered
}

// damage changes some bytes of b, cuts it or repeats a part.
func damage(random *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + random.IntN(4) {
		at := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b = b[:at+1]
		case 1:
			b = append(b, b[at:]...)
		default:
			b[at] = byte(random.IntN(256))
		}
	}
	return b
}

// encodings that damaged bodies claim to have.
var encodings = []string{"", "", "", "gzip", "deflate", "odd"}

// damagedHTTP posts damaged infer requests. Whatever the answer is, it must be a
// whole one, and no fault of the server's.
func damagedHTTP(url string) func(context.Context, *rand.Rand) error {
	raw := tensor.StringsData(goodTexts)
	header := fmt.Appendf(nil, `{"id":"x","inputs":[{"name":"texts","datatype":"BYTES","shape":[%d,1],"parameters":{"binary_data_size":%d}}],"outputs":[{"name":"embeddings"}]}`, len(goodTexts), len(raw))
	return func(ctx context.Context, random *rand.Rand) error {
		length := strconv.Itoa(len(header))
		if random.IntN(4) == 0 {
			length = strconv.Itoa(random.IntN(2*len(header)) - 2)
		}
		body := damage(random, append(bytes.Clone(header), raw...))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/models/embedding_pipeline/infer", bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set(tensor.HeaderLength, length)
		r.Header.Set("Content-Encoding", encodings[random.IntN(len(encodings))])
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("a bad request has no answer: %w", err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode == http.StatusInternalServerError {
			return fmt.Errorf("a bad request is answered with %s %v: %s", answer.Status, err, text)
		}
		return nil
	}
}

// damagedGRPC sends damaged messages of ModelInfer. Errors are what it is for.
func damagedGRPC(t *testing.T, port string) func(context.Context, *rand.Rand) error {
	conn, err := grpc.NewClient("passthrough:127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	message, err := proto.Marshal(&pb.ModelInferRequest{
		ModelName:        "embedding_pipeline",
		Inputs:           []*pb.ModelInferRequest_InferInputTensor{{Name: "texts", Datatype: "BYTES", Shape: []int64{int64(len(goodTexts)), 1}}},
		RawInputContents: [][]byte{tensor.StringsData(goodTexts)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, random *rand.Rand) error {
		var m pb.ModelInferRequest
		if err := proto.Unmarshal(damage(random, message), &m); err != nil {
			return nil // gRPC itself would not send it
		}
		_, _ = pb.NewGRPCInferenceServiceClient(conn).ModelInfer(ctx, &m)
		return nil
	}
}

// garbage sends bytes that are no protocol and leaves.
func garbage(address string) func(context.Context, *rand.Rand) error {
	return func(ctx context.Context, random *rand.Rand) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("the server takes no connection: %w", err)
		}
		defer conn.Close()
		b := make([]byte, 1+random.IntN(2000))
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		if random.IntN(2) == 0 {
			copy(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		}
		if err := conn.SetDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return err
		}
		_, _ = conn.Write(b)
		_, _ = conn.Read(b)
		return nil
	}
}

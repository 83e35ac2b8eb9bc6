//go:build unix

package triton_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/bench/stat"
	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve"
	"github.com/paceline/paceline/internal/serve/triton"
	"github.com/paceline/paceline/internal/store"
)

// BenchmarkDoors embeds the same 32 texts in process and through each door, in turns
// of a drawn order, and reports how many embeddings a CPU-second each way makes: in
// percent of the engine's, and of the JSON door's, as the median over the turns with its
// 95 % interval. Client and server are one process, so that a door is charged with its
// client's work as well. It takes the model in PACELINE_TEST_MODEL, or the tiny one, of
// which arithmetic is but a small part.
func BenchmarkDoors(b *testing.B) {
	m := benchModel(b)
	for _, tokens := range []int{12, 68} {
		b.Run(fmt.Sprintf("tokens=%d", tokens), func(b *testing.B) { benchDoors(b, m, benchTexts(32, tokens)) })
	}
}

// way is one of the things that are compared.
type way struct {
	name  string
	run   func() error
	turns []float64 // embeddings a CPU-second, or milliseconds a request
}

func benchDoors(b *testing.B, m *assemble.Model, list []string) {
	ways := []*way{{name: "engine", run: inProcess(b, m, list)}, {name: "json"}, {name: "http"}, {name: "grpc"}}
	ways[3].run, ways[2].run, ways[1].run = doors(b, m, list)
	order := rand.New(rand.NewPCG(1, 2))
	for turn := -1; turn < 0 || b.Loop(); turn++ {
		for _, i := range order.Perm(len(ways)) {
			rate, err := embedded(ways[i].run, len(list))
			if err != nil {
				b.Fatal(ways[i].name, err)
			}
			if turn >= 0 { // the first one warms up
				ways[i].turns = append(ways[i].turns, rate)
			}
		}
	}
	for i, w := range ways {
		b.ReportMetric(stat.Median(w.turns).Value, w.name+"/cpu-s")
		for _, base := range ways[:min(i, 2)] {
			report(b, w.name+"-of-"+base.name, stat.Median(shares(w.turns, base.turns)))
		}
	}
}

// embedded is the rate of a turn of a few requests.
func embedded(run func() error, texts int) (float64, error) {
	const requests = 4
	began := cpuTime()
	for range requests {
		if err := run(); err != nil {
			return 0, err
		}
	}
	return float64(requests*texts) / (cpuTime() - began).Seconds(), nil
}

func report(b *testing.B, name string, e stat.Estimate) {
	b.ReportMetric(e.Value, name+"-%")
	b.ReportMetric(e.Lo, name+"-lo-%")
	b.ReportMetric(e.Hi, name+"-hi-%")
}

// shares are figures in percent of another way's, turn by turn.
func shares(of, whole []float64) []float64 {
	list := make([]float64, len(of))
	for turn := range of {
		list[turn] = 100 * of[turn] / whole[turn]
	}
	return list
}

// cpuTime is what this process has used of its processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // there is no other error than a wrong argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchTexts are n different texts of so many tokens, the two that mark their ends counted.
func benchTexts(n, tokens int) []string {
	words := strings.Fields("the quick brown fox jumps over the lazy dog again")
	list := make([]string, n)
	for i := range list {
		text := []string{words[i%len(words)], words[i/len(words)]}
		for k := len(text) + 2; k < tokens; k++ {
			text = append(text, words[k%len(words)])
		}
		list[i] = strings.Join(text, " ")
	}
	return list
}

// modelVariable names another model than the tiny one.
const modelVariable = "PACELINE_TEST_MODEL"

func benchModel(b *testing.B) *assemble.Model {
	name := os.Getenv(modelVariable)
	if name == "" {
		return tiny(b)
	}
	m, err := assemble.Open(b.Context(), store.New(store.Options{}), name, assemble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

func inProcess(b *testing.B, m *assemble.Model, list []string) func() error {
	return func() error {
		var batch model.Batch
		vectors := make([][]float32, len(list))
		for i, text := range list {
			p, err := m.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true})
			if err != nil {
				return err
			}
			vectors[i] = make([]float32, m.Spec.Dim())
			batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: vectors[i]})
		}
		if err := m.Engine.Run(b.Context(), &batch); err != nil {
			return err
		}
		for _, v := range vectors {
			if _, err := m.Pipeline.Finish(v, pipeline.FinishOptions{Normalize: true}); err != nil {
				return err
			}
		}
		return nil
	}
}

// doors starts a server of the triton profile over loopback.
func doors(b *testing.B, m *assemble.Model, list []string) (overGRPC, overHTTP, overJSON func() error) {
	web, call := listen(b), listen(b)
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- serveDoors(ctx, m, m.Engine, web, call) }()
	b.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			b.Error(err)
		}
	})
	return callers(b, web.Addr().String(), call.Addr().String(), list)
}

// serveDoors is a server of the triton profile that runs until ctx ends.
func serveDoors(ctx context.Context, m *assemble.Model, engine batch.Runner, web, call net.Listener) error {
	profile, err := serve.ProfileNamed("triton")
	if err != nil {
		return err
	}
	server := serve.New(profile, serve.Options{Log: slog.New(slog.DiscardHandler)})
	t := triton.New(triton.Options{Admission: server, Log: slog.New(slog.DiscardHandler), Message: 1 << 25})
	server.Extend(serve.Extension{Prefix: "/v2", Handler: t.Handler(), Metrics: t, Ready: t.Ready, Drain: t.Drain})
	if err := server.Load(serve.Model{Name: "m", Width: m.Spec.Dim(), Hidden: m.Spec.Hidden, Pipeline: m.Pipeline, Runner: engine}); err != nil {
		return err
	}
	opened := &triton.Opened{Pipeline: m.Pipeline, Runner: engine, Width: m.Spec.Dim(), Close: func() error { return nil }}
	source := triton.Source{Repository: modelrepo.Preset{Model: "m", Dim: m.Pipeline.Dim()}, Open: func(context.Context, string) (*triton.Opened, error) { return opened, nil }}
	if err := t.Start(ctx, source); err != nil {
		return err
	}
	return server.Serve(ctx, context.Background(), serve.Door{Listener: web}, serve.Door{Listener: call, Answers: t.GRPC()})
}

// callers ask the doors at these addresses for the embeddings of a list.
func callers(b *testing.B, web, call string, list []string) (overGRPC, overHTTP, overJSON func() error) {
	b.Cleanup(plain.CloseIdleConnections)
	url := "http://" + web
	raw := tensor.StringsData(list)
	header := fmt.Sprintf(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[%d,1],"parameters":{"binary_data_size":%d}}],"parameters":{"binary_data_output":true}}`, len(list), len(raw))
	body, err := json.Marshal(map[string]any{"texts": list})
	if err != nil {
		b.Fatal(err)
	}
	return callGRPC(b, call, list), post(url+"/v2/models/embedding_pipeline/infer", append([]byte(header), raw...), strconv.Itoa(len(header))),
		post(url+"/embeddings", body, "")
}

// plain asks for no packed answers, as Triton's own clients do: by itself Go's
// client would accept gzip, and get it.
var plain = &http.Client{Transport: &http.Transport{DisableCompression: true}}

func post(url string, body []byte, headerLength string) func() error {
	return func() error {
		r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		if r.Header.Set("Content-Type", "application/json"); headerLength != "" {
			r.Header.Set(tensor.HeaderLength, headerLength)
		}
		answer, err := plain.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s %w", answer.Status, err)
		}
		return nil
	}
}

func listen(b *testing.B) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func callGRPC(b *testing.B, address string, list []string) func() error {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	client, request := pb.NewGRPCInferenceServiceClient(conn), textsRequest(list...)
	return func() error {
		_, err := client.ModelInfer(b.Context(), request)
		return err
	}
}

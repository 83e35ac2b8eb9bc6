package soak

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
)

// Sizes of what is sent to do harm.
const (
	bombBytes    = 256 << 20 // unpacked; the server takes 32 MiB
	deepBrackets = 200_000
	manyInputs   = 5000
	tooLarge     = 33 << 20 // of a gRPC message; the server takes 32 MiB
	atOnce       = 100      // streams that one client opens and leaves: what they ask fits into the queue beside good requests
)

// attack is a request made to do harm, and how it must end.
type attack struct {
	name     string
	body     []byte
	encoding string
	length   string // the header of the binary extension
	status   int
}

// input is a request of one input, whose raw bytes follow.
func input(shape, parameters string, raw []byte) (body []byte, length string) {
	header := fmt.Sprintf(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":%s,"parameters":{%s}}]}`, shape, parameters)
	return append([]byte(header), raw...), strconv.Itoa(len(header))
}

func attacks(t *testing.T) []attack {
	sized := func(n int) string { return fmt.Sprintf(`"binary_data_size":%d`, n) }
	good, packed := tensor.StringsData([]string{"a"}), bomb(t)
	lies := []attack{
		{name: "a bomb of gzip", body: packed, encoding: "gzip", status: http.StatusRequestEntityTooLarge},
		{name: "half a bomb", body: packed[:1000], encoding: "gzip", status: http.StatusBadRequest},
		{name: "brackets", body: []byte(`{"inputs":` + strings.Repeat("[", deepBrackets)), status: http.StatusBadRequest},
		{name: "braces", body: []byte(strings.Repeat(`{"inputs":`, deepBrackets)), status: http.StatusBadRequest},
		{name: "one input many times", body: []byte(`{"inputs":[` + strings.Repeat(`{"name":"texts","datatype":"BYTES","shape":[1,1],"data":["a"]},`, manyInputs) +
			`{"name":"texts","datatype":"BYTES","shape":[1,1],"data":["a"]}]}`), status: http.StatusBadRequest},
		{name: "a long shape", body: []byte(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[` + strings.Repeat("1,", manyInputs) + `1],"data":["a"]}]}`), status: http.StatusBadRequest},
		{name: "a number without end", body: []byte(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[1` + strings.Repeat("0", manyInputs) + `,1],"data":["a"]}]}`), status: http.StatusBadRequest},
	}
	for _, shape := range []string{"[-1,1]", "[0,1]", "[4611686018427387904,4]", "[2147483648,2147483648]", "[9223372036854775807,1]", "[1,1,1]", "[]"} {
		body, length := input(shape, sized(len(good)), good)
		lies = append(lies, attack{name: "shape " + shape, body: body, length: length, status: http.StatusBadRequest})
	}
	for _, says := range []uint32{2, 6, 1 << 30, 1<<32 - 1} {
		raw := append(binary.LittleEndian.AppendUint32(nil, says), 'a')
		body, length := input("[1,1]", sized(len(raw)), raw)
		lies = append(lies, attack{name: fmt.Sprintf("an element that says %d", says), body: body, length: length, status: http.StatusBadRequest})
	}
	for _, size := range []string{`"binary_data_size":18446744073709551615`, `"binary_data_size":-1`, `"binary_data_size":1e3`, sized(0), sized(4)} {
		body, length := input("[1,1]", size, good)
		lies = append(lies, attack{name: size, body: body, length: length, status: http.StatusBadRequest})
	}
	body, _ := input("[1,1]", sized(len(good)), good)
	for _, length := range []string{"-1", "1", "999999999", "9223372036854775808", "0x10", "1e2", " "} {
		lies = append(lies, attack{name: "header length " + length, body: body, length: length, status: http.StatusBadRequest})
	}
	return lies
}

// bomb is small, and unpacked larger than any body may be: members of a megabyte,
// of which a gzip file may have any number.
func bomb(t *testing.T) []byte {
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(member.Bytes(), bombBytes>>20)
}

// hostileHTTP sends one attack after another. Each ends with its status, or, when
// the doors are full, with 503.
func hostileHTTP(t *testing.T, url string) func(context.Context, *rand.Rand) error {
	list, next := attacks(t), 0
	return func(ctx context.Context, _ *rand.Rand) error {
		a := list[next%len(list)]
		next++
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/models/embedding_pipeline/infer", bytes.NewReader(a.body))
		if err != nil {
			return err
		}
		if a.length != "" {
			r.Header.Set(tensor.HeaderLength, a.length)
		}
		r.Header.Set("Content-Encoding", a.encoding)
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			return fmt.Errorf("%s has no answer: %w", a.name, err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != a.status && answer.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("%s is answered with %s %v: %.200s", a.name, answer.Status, err, text)
		}
		return nil
	}
}

// cutShort sends a part of the body that it announced and leaves.
func cutShort(address string) func(context.Context, *rand.Rand) error {
	body, length := input("[1,1]", `"binary_data_size":5`, tensor.StringsData([]string{"a"}))
	return func(ctx context.Context, random *rand.Rand) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("the server takes no connection: %w", err)
		}
		defer conn.Close()
		announced := len(body) + random.IntN(1<<20)
		_, err = fmt.Fprintf(conn, "POST /v2/models/embedding_pipeline/infer HTTP/1.1\r\nHost: x\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
			tensor.HeaderLength, length, announced, body[:random.IntN(len(body))])
		return err
	}
}

// hostileGRPC sends messages beyond the limit, and opens streams by the hundred,
// asks in each, and leaves without waiting for an answer.
func hostileGRPC(t *testing.T, port string) func(context.Context, *rand.Rand) error {
	conn, err := grpc.NewClient("passthrough:127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	client := pb.NewGRPCInferenceServiceClient(conn)
	message := func(raw []byte) *pb.ModelInferRequest {
		return &pb.ModelInferRequest{ModelName: "embedding_pipeline", RawInputContents: [][]byte{raw},
			Inputs: []*pb.ModelInferRequest_InferInputTensor{{Name: "texts", Datatype: "BYTES", Shape: []int64{1, 1}}}}
	}
	large, small := message(make([]byte, tooLarge)), message(tensor.StringsData([]string{"a"}))
	return func(ctx context.Context, random *rand.Rand) error {
		if _, err := client.ModelInfer(ctx, large); ctx.Err() == nil && status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("a message of %d bytes: %w", tooLarge, err)
		}
		ctx, leave := context.WithCancel(ctx)
		defer leave()
		for range atOnce {
			stream, err := client.ModelStreamInfer(ctx)
			if err != nil {
				return ignoreEnd(ctx, err)
			}
			for range random.IntN(3) {
				if err := stream.Send(small); err != nil {
					return ignoreEnd(ctx, err)
				}
			}
		}
		return nil
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// goroutines is how many the server says it has.
func goroutines(ctx context.Context, metrics string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(text), "\ngo_goroutines ")
	if !found {
		return 0, fmt.Errorf("%s/metrics has no go_goroutines", metrics)
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strconv.Atoi(line)
}

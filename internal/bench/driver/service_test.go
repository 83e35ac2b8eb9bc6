package driver

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// service is a stub that speaks every dialect by the letter of its
// documentation, written apart from the codecs that it tests.
type service struct {
	vectors func(texts []string) [][]float32 // what it answers
	spoil   func(w http.ResponseWriter) bool // answers instead; may be nil
}

// dimension of the stub's vectors.
const dimension = 5

// vectorOf is a vector that tells its text from others.
func vectorOf(text string) []float32 {
	v := make([]float32, dimension)
	for i := range v {
		v[i] = float32(len(text)+i)/7 - 1
	}
	return v
}

func honest(texts []string) [][]float32 {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = vectorOf(text)
	}
	return vectors
}

func (s *service) start(t testing.TB) string {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		if s.spoil == nil || !s.spoil(w) {
			g := grpc.NewServer()
			pb.RegisterGRPCInferenceServiceServer(g, &grpcService{service: s})
			g.ServeHTTP(w, r)
		}
		return
	}
	raw, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/v1/models" {
		reply(w, map[string]any{"object": "list", "data": []any{map[string]string{"id": "served"}}})
		return
	}
	if s.spoil != nil && s.spoil(w) {
		return
	}
	if strings.HasPrefix(r.URL.Path, "/v2/models/") {
		s.infer(w, raw, r.Header.Get("Inference-Header-Content-Length"))
		return
	}
	var request struct {
		Texts, Inputs, Input []string
		EncodingFormat       string `json:"encoding_format"`
		Model                string
	}
	if r.Method != http.MethodPost || json.Unmarshal(raw, &request) != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	switch {
	case r.URL.Path == "/embeddings":
		reply(w, map[string]any{"model": "embeddings", "num_embeddings": len(request.Texts), "embeddings": s.vectors(request.Texts)})
	case r.URL.Path == "/embed" && request.Texts != nil:
		reply(w, map[string]any{"embeddings": s.vectors(request.Texts), "model": "embeddings"})
	case r.URL.Path == "/embed" && request.Inputs != nil:
		reply(w, s.vectors(request.Inputs))
	case r.URL.Path == "/v1/embeddings" && request.Model != "":
		reply(w, openAIReply(s.vectors(request.Input), request.EncodingFormat == "base64"))
	default:
		http.Error(w, `{"error":"no such route"}`, http.StatusNotFound)
	}
}

// infer answers as Triton does: a JSON header, its length told, and raw tensors,
// both ways.
func (s *service) infer(w http.ResponseWriter, body []byte, length string) {
	var request struct {
		Inputs []struct {
			Name, Datatype string
			Shape          []int
			Parameters     map[string]int
		}
		Outputs []struct {
			Name       string
			Parameters map[string]bool
		}
	}
	n, err := strconv.Atoi(length)
	if err != nil || n > len(body) || json.Unmarshal(body[:n], &request) != nil || len(request.Inputs) != 1 || len(request.Outputs) != 1 || !request.Outputs[0].Parameters["binary_data"] {
		http.Error(w, `{"error":"bad request"}`, http.StatusBadRequest)
		return
	}
	in, texts := request.Inputs[0], readBytesTensor(body[n:])
	if in.Name != "texts" || in.Datatype != "BYTES" || len(in.Shape) != 2 || in.Shape[0] != len(texts) || in.Shape[1] != 1 || in.Parameters["binary_data_size"] != len(body)-n {
		http.Error(w, `{"error":"bad tensor"}`, http.StatusBadRequest)
		return
	}
	header, vectors := kserveReply(s.vectors(texts))
	w.Header().Set("Inference-Header-Content-Length", strconv.Itoa(len(header)))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(append(header, vectors...))
}

// readBytesTensor reads elements of 4 bytes of length and as many bytes.
func readBytesTensor(raw []byte) (texts []string) {
	for len(raw) > 0 {
		n := binary.LittleEndian.Uint32(raw)
		texts = append(texts, string(raw[4:4+n]))
		raw = raw[4+n:]
	}
	return texts
}

// grpcService is the same over gRPC.
type grpcService struct {
	pb.UnimplementedGRPCInferenceServiceServer
	service *service
}

func (g *grpcService) ModelInfer(_ context.Context, r *pb.ModelInferRequest) (*pb.ModelInferResponse, error) {
	if len(r.Inputs) != 1 || r.Inputs[0].Name != "texts" || r.Inputs[0].Datatype != "BYTES" || len(r.RawInputContents) != 1 {
		return nil, grpcstatus.Error(codes.InvalidArgument, "bad tensor")
	}
	vectors := g.service.vectors(readBytesTensor(r.RawInputContents[0]))
	_, raw := kserveReply(vectors)
	columns := 0
	if len(vectors) > 0 {
		columns = len(vectors[0])
	}
	return &pb.ModelInferResponse{
		Outputs:           []*pb.ModelInferResponse_InferOutputTensor{{Name: "embeddings", Datatype: "FP32", Shape: []int64{int64(len(vectors)), int64(columns)}}},
		RawOutputContents: [][]byte{raw},
	}, nil
}

func kserveReply(vectors [][]float32) (header, raw []byte) {
	columns := 0
	for _, v := range vectors {
		columns = len(v)
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	}
	header = fmt.Appendf(nil, `{"model_name":"m","model_version":"1","outputs":[{"name":"embeddings","datatype":"FP32","shape":[%d,%d],"parameters":{"binary_data_size":%d}}]}`, len(vectors), columns, len(raw))
	return header, raw
}

// openAIReply puts the last vector first: the index counts, not the place.
func openAIReply(vectors [][]float32, packed bool) any {
	data := []any{}
	for i := range vectors {
		i = len(vectors) - 1 - i
		var embedding any = vectors[i]
		if packed {
			var b []byte
			for _, x := range vectors[i] {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}
			embedding = base64.StdEncoding.EncodeToString(b)
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": embedding})
	}
	return map[string]any{"object": "list", "data": data, "model": "m", "usage": map[string]int{"prompt_tokens": 1}}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(fmt.Sprint("the stub cannot encode its reply: ", err))
	}
}

package triton

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/paceline/paceline/internal/kservepb"
)

type inferStream = grpc.BidiStreamingServer[pb.ModelInferRequest, pb.ModelStreamInferResponse]

// inStream bounds the requests of one stream that are computed at once; a client
// that sends more waits.
const inStream = 64

// ModelStreamInfer answers the requests of a stream as they come, several at
// once, and sends the answers in the requests' order, as the reference server
// does. A request that fails is answered with its error; the stream goes on.
func (g *service) ModelStreamInfer(stream inferStream) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	turns := &turns{places: make(chan chan *pb.ModelStreamInferResponse, inStream)}
	sent := make(chan error, 1)
	go func() { sent <- turns.send(stream, cancel) }()
	received := make(chan error, 1)
	go func() { received <- g.receive(ctx, stream, turns) }() // ends with the stream at the latest
	var err error
	select {
	case err = <-received:
	case <-g.server.stopping:
		err = status.Error(codes.Unavailable, "the server is shutting down")
	}
	turns.end()
	if sendErr := <-sent; sendErr != nil && err == nil {
		err = sendErr
	}
	return err
}

// receive has every request of a stream answered in its turn.
func (g *service) receive(ctx context.Context, stream inferStream, turns *turns) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		place, ok := turns.next(ctx)
		if !ok {
			return ctx.Err()
		}
		go func() { place <- g.streamed(ctx, m) }()
	}
}

// streamed is the answer to one request of a stream.
func (g *service) streamed(ctx context.Context, m *pb.ModelInferRequest) (answer *pb.ModelStreamInferResponse) {
	var err error
	defer func() {
		if err = g.server.settled("ModelStreamInfer", recover(), err); err != nil {
			s, _ := status.FromError(err)
			answer = &pb.ModelStreamInferResponse{ErrorMessage: s.Message(), InferResponse: &pb.ModelInferResponse{Id: m.Id}}
		}
	}()
	var response *pb.ModelInferResponse
	if response, err = g.ModelInfer(ctx, m); err == nil {
		response.Parameters = map[string]*pb.InferParameter{finalResponse: {ParameterChoice: &pb.InferParameter_BoolParam{BoolParam: true}}}
	}
	return &pb.ModelStreamInferResponse{InferResponse: response}
}

// finalResponse is the parameter by which clients of a stream know that no more
// comes for a request: here each has one answer.
const finalResponse = "triton_final_response"

// turns keeps the answers of a stream in the order of its requests.
type turns struct {
	mu     sync.Mutex
	ended  bool
	places chan chan *pb.ModelStreamInferResponse
}

// next is the place for the next answer; none once the stream ends.
func (t *turns) next(ctx context.Context) (place chan *pb.ModelStreamInferResponse, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, false
	}
	place = make(chan *pb.ModelStreamInferResponse, 1)
	select {
	case t.places <- place:
		return place, true
	case <-ctx.Done():
		return nil, false
	}
}

func (t *turns) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	close(t.places)
}

// send waits for each answer in its turn. When the client is gone it goes on
// without sending, so that nobody waits for a place.
func (t *turns) send(stream inferStream, gone func()) (err error) {
	for place := range t.places {
		answer := <-place
		if err != nil {
			continue
		}
		if err = stream.Send(answer); err != nil {
			gone()
		}
	}
	return err
}

package triton

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// GRPC is the server's gRPC port.
type GRPC struct {
	server *grpc.Server
	end    func() // tells open streams to end
}

// Bounds on what one connection may do.
const (
	maxStreams  = 1024 // calls at once
	idleTimeout = 10 * time.Minute
	handshake   = 10 * time.Second
	leastPing   = 10 * time.Second // between two pings of a client
)

// workers are goroutines that answer calls and stay, as net/http has one for each
// connection: a new one for a call would grow its stack again. Calls beyond them
// still get one each.
const workers = 32

// GRPC makes the gRPC door: the inference service, health and reflection.
func (s *Server) GRPC() *GRPC {
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(s.options.Message), grpc.MaxConcurrentStreams(maxStreams), grpc.ConnectionTimeout(handshake),
		grpc.NumStreamWorkers(workers),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: idleTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: leastPing, PermitWithoutStream: true}),
		grpc.ChainUnaryInterceptor(s.unary), grpc.ChainStreamInterceptor(s.stream),
	)
	pb.RegisterGRPCInferenceServiceServer(server, &service{server: s})
	grpc_health_v1.RegisterHealthServer(server, &healthService{server: s})
	reflection.Register(server)
	return &GRPC{server, sync.OnceFunc(func() { close(s.stopping) })}
}

// Serve answers calls until Shutdown or Close.
func (g *GRPC) Serve(l net.Listener) error { return g.server.Serve(l) }

// Shutdown takes no more calls and waits for those there are, until ctx ends. A
// stream ends when its last request is answered.
func (g *GRPC) Shutdown(ctx context.Context) error {
	g.end()
	stop := context.AfterFunc(ctx, g.server.Stop)
	defer stop()
	g.server.GracefulStop()
	return ctx.Err()
}

// Close ends all calls.
func (g *GRPC) Close() error {
	g.server.Stop()
	return nil
}

// unary puts around every call the key, a net under panics, and the protocol's
// codes for errors.
func (s *Server) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, call grpc.UnaryHandler) (answer any, err error) {
	defer func() { err = s.settled(info.FullMethod, recover(), err) }()
	if err := s.authorize(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	ctx, cancel := inTime(ctx)
	defer cancel()
	return call(ctx, request)
}

// ahead is how long before its deadline a call ends: long enough for the answer
// to be there in time, also while all cores compute. What is left of a shorter
// deadline embeds nothing, and a call with one ends at once.
const ahead = 2 * time.Millisecond

// inTime ends a call a moment before its deadline. At the deadline itself grpc-go
// resets the call's stream, and clients whose clock says that there is a
// millisecond left (those of gRPC's C core count whole ones) take that for CANCELLED.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-ahead))
}

func (s *Server) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, call grpc.StreamHandler) (err error) {
	defer func() { err = s.settled(info.FullMethod, recover(), err) }()
	if err := s.authorize(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return call(server, stream)
}

// settled turns a panic or an error into a status.
func (s *Server) settled(method string, panicked any, err error) error {
	if panicked != nil {
		s.log.Error("panic", "method", method, "reason", panicked, "stack", string(debug.Stack()))
		return status.Error(codes.Internal, "a fault of the server's; its log has it")
	}
	if err == nil {
		return nil
	}
	if known, ok := status.FromError(err); ok {
		return known.Err()
	}
	if errors.Is(err, context.Canceled) {
		return status.Error(codes.Canceled, err.Error())
	}
	e := s.options.Admission.Explain(err)
	return status.Error(kserve.Code(e.Kind), e.Message)
}

// open are the methods that need no key.
var open = map[string]bool{
	pb.GRPCInferenceService_ServerLive_FullMethodName:  true,
	pb.GRPCInferenceService_ServerReady_FullMethodName: true,
	pb.GRPCInferenceService_ModelReady_FullMethodName:  true,
	grpc_health_v1.Health_Check_FullMethodName:         true,
	grpc_health_v1.Health_Watch_FullMethodName:         true,
}

func (s *Server) authorize(ctx context.Context, method string) error {
	authorization := ""
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) > 0 {
		authorization = values[0]
	}
	if open[method] || s.options.Admission.Authorized(authorization) {
		return nil
	}
	return status.Error(codes.Unauthenticated, "this server wants an API key: send the metadata authorization: Bearer KEY")
}

package triton

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// healthService is the health protocol of gRPC: the server as "" or by the
// inference service's name, and each model under its own.
type healthService struct {
	grpc_health_v1.UnimplementedHealthServer
	server *Server
}

// Check tells how a service is now.
func (h *healthService) Check(_ context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	now := h.status(r.Service)
	if now == grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, status.Errorf(codes.NotFound, "no service or model is called %q", r.Service)
	}
	return &grpc_health_v1.HealthCheckResponse{Status: now}, nil
}

// Watch tells how a service is, and again whenever that changes. The shutdown is
// the last change, and ends the stream.
func (h *healthService) Watch(r *grpc_health_v1.HealthCheckRequest, stream grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	told := grpc_health_v1.HealthCheckResponse_ServingStatus(-1)
	for {
		change := h.server.next()
		if now := h.status(r.Service); now != told {
			if err := stream.Send(&grpc_health_v1.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			told = now
		}
		select {
		case <-change:
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-h.server.stopping:
			if told == h.status(r.Service) {
				return status.Error(codes.Unavailable, "the server is shutting down")
			}
		}
	}
}

func (h *healthService) status(service string) grpc_health_v1.HealthCheckResponse_ServingStatus {
	ready := h.server.Ready()
	if service != "" && service != pb.GRPCInferenceService_ServiceDesc.ServiceName {
		if !h.server.isKnown(service) {
			return grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN
		}
		model, _ := h.server.ModelReady(service, "") // "" is no wrong version
		ready = ready && model
	}
	if ready {
		return grpc_health_v1.HealthCheckResponse_SERVING
	}
	return grpc_health_v1.HealthCheckResponse_NOT_SERVING
}

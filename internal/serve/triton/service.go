package triton

import (
	"context"

	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// service is the protocol's gRPC service; errors get their codes in unary and
// stream.
type service struct {
	pb.UnimplementedGRPCInferenceServiceServer
	server *Server
}

func (g *service) ServerLive(context.Context, *pb.ServerLiveRequest) (*pb.ServerLiveResponse, error) {
	return &pb.ServerLiveResponse{Live: true}, nil
}

func (g *service) ServerReady(context.Context, *pb.ServerReadyRequest) (*pb.ServerReadyResponse, error) {
	return &pb.ServerReadyResponse{Ready: g.server.Ready()}, nil
}

func (g *service) ModelReady(_ context.Context, r *pb.ModelReadyRequest) (*pb.ModelReadyResponse, error) {
	ready, err := g.server.ModelReady(r.Name, r.Version)
	return &pb.ModelReadyResponse{Ready: ready}, err
}

func (g *service) ServerMetadata(context.Context, *pb.ServerMetadataRequest) (*pb.ServerMetadataResponse, error) {
	return g.server.Metadata(), nil
}

func (g *service) ModelMetadata(_ context.Context, r *pb.ModelMetadataRequest) (*pb.ModelMetadataResponse, error) {
	return g.server.ModelMetadata(r.Name, r.Version)
}

func (g *service) ModelConfig(_ context.Context, r *pb.ModelConfigRequest) (*pb.ModelConfigResponse, error) {
	c, err := g.server.ModelConfig(r.Name, r.Version)
	return &pb.ModelConfigResponse{Config: c}, err
}

func (g *service) ModelStatistics(_ context.Context, r *pb.ModelStatisticsRequest) (*pb.ModelStatisticsResponse, error) {
	list, err := g.server.Statistics(r.Name, r.Version)
	return &pb.ModelStatisticsResponse{ModelStats: list}, err
}

func (g *service) RepositoryIndex(_ context.Context, r *pb.RepositoryIndexRequest) (*pb.RepositoryIndexResponse, error) {
	list, err := g.server.Index(r.RepositoryName, r.Ready)
	return &pb.RepositoryIndexResponse{Models: list}, err
}

func (g *service) RepositoryModelLoad(ctx context.Context, r *pb.RepositoryModelLoadRequest) (*pb.RepositoryModelLoadResponse, error) {
	var config *pb.ModelConfig
	for name, p := range r.Parameters {
		var err error
		if config, err = loadParameter(name, p.GetStringParam()); err != nil {
			return nil, err
		}
	}
	return &pb.RepositoryModelLoadResponse{}, g.server.LoadFor(ctx, r.RepositoryName, r.ModelName, config)
}

func (g *service) RepositoryModelUnload(_ context.Context, r *pb.RepositoryModelUnloadRequest) (*pb.RepositoryModelUnloadResponse, error) {
	dependents := r.Parameters["unload_dependents"].GetBoolParam()
	return &pb.RepositoryModelUnloadResponse{}, g.server.UnloadFor(r.RepositoryName, r.ModelName, dependents)
}

func (g *service) SystemSharedMemoryStatus(_ context.Context, r *pb.SystemSharedMemoryStatusRequest) (*pb.SystemSharedMemoryStatusResponse, error) {
	if r.Name != "" {
		return nil, noRegion(r.Name)
	}
	return &pb.SystemSharedMemoryStatusResponse{}, nil
}

func (g *service) SystemSharedMemoryRegister(_ context.Context, r *pb.SystemSharedMemoryRegisterRequest) (*pb.SystemSharedMemoryRegisterResponse, error) {
	return nil, noSharedMemory(r.Name)
}

func (g *service) SystemSharedMemoryUnregister(context.Context, *pb.SystemSharedMemoryUnregisterRequest) (*pb.SystemSharedMemoryUnregisterResponse, error) {
	return &pb.SystemSharedMemoryUnregisterResponse{}, nil // there was none
}

func (g *service) CudaSharedMemoryStatus(_ context.Context, r *pb.CudaSharedMemoryStatusRequest) (*pb.CudaSharedMemoryStatusResponse, error) {
	if r.Name != "" {
		return nil, noRegion(r.Name)
	}
	return &pb.CudaSharedMemoryStatusResponse{}, nil
}

func (g *service) CudaSharedMemoryRegister(_ context.Context, r *pb.CudaSharedMemoryRegisterRequest) (*pb.CudaSharedMemoryRegisterResponse, error) {
	return nil, noSharedMemory(r.Name)
}

func (g *service) CudaSharedMemoryUnregister(context.Context, *pb.CudaSharedMemoryUnregisterRequest) (*pb.CudaSharedMemoryUnregisterResponse, error) {
	return &pb.CudaSharedMemoryUnregisterResponse{}, nil
}

func (g *service) TraceSetting(_ context.Context, r *pb.TraceSettingRequest) (*pb.TraceSettingResponse, error) {
	changes := map[string][]string{}
	for name, v := range r.Settings {
		changes[name] = v.GetValue()
	}
	value, err := g.server.traceSettings(r.ModelName, changes)
	if err != nil {
		return nil, err
	}
	m := &pb.TraceSettingResponse{Settings: map[string]*pb.TraceSettingResponse_SettingValue{}}
	for _, t := range traceSettings {
		m.Settings[t.name] = &pb.TraceSettingResponse_SettingValue{Value: []string{value(t)}}
	}
	return m, nil
}

func (g *service) LogSettings(_ context.Context, r *pb.LogSettingsRequest) (*pb.LogSettingsResponse, error) {
	changes := map[string]any{}
	for name, v := range r.Settings {
		switch v := v.GetParameterChoice().(type) {
		case *pb.LogSettingsRequest_SettingValue_BoolParam:
			changes[name] = v.BoolParam
		case *pb.LogSettingsRequest_SettingValue_Uint32Param:
			changes[name] = v.Uint32Param
		case *pb.LogSettingsRequest_SettingValue_StringParam:
			changes[name] = v.StringParam
		}
	}
	if err := g.server.options.Logging.change(changes); err != nil {
		return nil, err
	}
	m := &pb.LogSettingsResponse{Settings: map[string]*pb.LogSettingsResponse_SettingValue{}}
	for _, l := range g.server.options.Logging.settings() {
		v := &pb.LogSettingsResponse_SettingValue{}
		switch value := l.value.(type) {
		case string:
			v.ParameterChoice = &pb.LogSettingsResponse_SettingValue_StringParam{StringParam: value}
		case bool:
			v.ParameterChoice = &pb.LogSettingsResponse_SettingValue_BoolParam{BoolParam: value}
		case uint32:
			v.ParameterChoice = &pb.LogSettingsResponse_SettingValue_Uint32Param{Uint32Param: value}
		}
		m.Settings[l.name] = v
	}
	return m, nil
}

// ModelInfer answers one inference. It counts as a request like one over HTTP.
func (g *service) ModelInfer(ctx context.Context, m *pb.ModelInferRequest) (*pb.ModelInferResponse, error) {
	leave, refused := g.server.options.Admission.Enter()
	if refused != nil {
		return nil, refused
	}
	defer leave()
	r, err := kserve.DecodeGRPC(m)
	if err != nil {
		return nil, err
	}
	answer, err := g.server.Infer(ctx, r)
	if err != nil {
		return nil, err
	}
	return kserve.EncodeGRPC(answer), nil
}

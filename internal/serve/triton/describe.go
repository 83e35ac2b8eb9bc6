package triton

import (
	"maps"
	"slices"
	"strconv"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// serverName is what the reference server calls itself; clients look at it.
const serverName = "triton"

// extensions are those of the protocol's that this server has.
var extensions = []string{
	"model_repository", "model_repository(unload_dependents)", "schedule_policy", "model_configuration",
	"binary_tensor_data", "parameters", "statistics", "trace", "logging",
}

// Metadata of the server.
func (s *Server) Metadata() *pb.ServerMetadataResponse {
	return &pb.ServerMetadataResponse{Name: serverName, Version: s.options.Version, Extensions: extensions}
}

// ModelMetadata describes a model's tensors, with the batch dimension.
func (s *Server) ModelMetadata(name, version string) (*pb.ModelMetadataResponse, error) {
	m, err := s.acquire(name, version)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	platform := m.config.Platform
	if platform == "" {
		platform = m.config.Backend
	}
	message := &pb.ModelMetadataResponse{Name: name, Platform: platform, Versions: s.versions(name)}
	add := func(list *[]*pb.ModelMetadataResponse_TensorMetadata, name string, d pb.DataType, dims []int64) {
		if m.config.MaxBatchSize > 0 {
			dims = append([]int64{-1}, dims...)
		}
		*list = append(*list, &pb.ModelMetadataResponse_TensorMetadata{Name: name, Datatype: string(protocolType(d)), Shape: dims})
	}
	for _, in := range m.config.Input {
		add(&message.Inputs, in.Name, in.DataType, in.Dims)
	}
	for _, out := range m.config.Output {
		add(&message.Outputs, out.Name, out.DataType, out.Dims)
	}
	return message, nil
}

func (s *Server) versions(name string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []string
	if e := s.models[name]; e != nil {
		for _, v := range slices.Sorted(maps.Keys(e.versions)) {
			list = append(list, strconv.FormatInt(v, 10))
		}
	}
	return list
}

// ModelConfig is a model's config, completed.
func (s *Server) ModelConfig(name, version string) (*pb.ModelConfig, error) {
	m, err := s.acquire(name, version)
	if err != nil {
		return nil, err
	}
	defer m.users.Done()
	return m.config, nil
}

// ModelReady tells whether a model answers: an ensemble only if its steps do. A
// version that is no number is an error, a model that there is not is none.
func (s *Server) ModelReady(name, version string) (bool, error) {
	if _, err := versionOf(version); err != nil {
		return false, err
	}
	m, err := s.acquire(name, version)
	if err != nil {
		return false, nil
	}
	defer m.users.Done()
	if e, ok := m.backend.(*ensemble); ok {
		return e.check() == nil, nil
	}
	return true, nil
}

package triton

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// OpenAPI describes the paths of Handler.
//
//go:embed openapi.json
var OpenAPI []byte

// Handler answers the protocol's paths, /v2 and below.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, answer http.HandlerFunc) { mux.HandleFunc("GET "+path, s.numbered(answer)) }
	post := func(path string, answer http.HandlerFunc) { mux.HandleFunc("POST "+path, s.numbered(answer)) }
	get("/v2", func(w http.ResponseWriter, r *http.Request) { s.send(w, s.Metadata(), nil) })
	get("/v2/health/live", func(w http.ResponseWriter, r *http.Request) {})
	get("/v2/health/ready", func(w http.ResponseWriter, r *http.Request) {
		if !s.Ready() {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	get("/v2/models/stats", s.serveStatistics)
	for _, model := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		get(model, func(w http.ResponseWriter, r *http.Request) {
			m, err := s.ModelMetadata(r.PathValue("model"), r.PathValue("version"))
			s.send(w, m, err)
		})
		get(model+"/ready", func(w http.ResponseWriter, r *http.Request) {
			ready, err := s.ModelReady(r.PathValue("model"), r.PathValue("version"))
			if err == nil && !ready {
				err = dialect.Errorf(dialect.Value, "", "Model version not ready")
			}
			if err != nil {
				s.fail(w, err)
			}
		})
		get(model+"/config", func(w http.ResponseWriter, r *http.Request) {
			c, err := s.ModelConfig(r.PathValue("model"), r.PathValue("version"))
			s.send(w, c, err)
		})
		get(model+"/stats", s.serveStatistics)
		post(model+"/infer", s.serveInfer)
		s.traceRoutes(mux, model+"/trace/setting")
	}
	for _, repository := range []string{"/v2/repository", "/v2/repository/{repository}"} {
		post(repository+"/index", s.serveIndex)
		post(repository+"/models/{model}/load", s.serveLoad)
		post(repository+"/models/{model}/unload", s.serveUnload)
	}
	s.traceRoutes(mux, "/v2/trace/setting")
	s.loggingRoutes(mux)
	s.memoryRoutes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, unknownPath(mux, r))
	})
	return mux
}

// numbered answers paths whose version, if they have one, is a number: others
// are no paths of the protocol.
func (s *Server) numbered(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Trim(r.PathValue("version"), "0123456789") != "" {
			s.fail(w, dialect.Errorf(dialect.NoRoute, "", "Not Found: %s", r.URL.Path))
			return
		}
		answer(w, r)
	}
}

// unknownPath tells a path that there is not from a method that it has not.
func unknownPath(mux *http.ServeMux, r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(other); pattern != "/" {
			return dialect.Errorf(dialect.NoMethod, "", "Method Not Allowed: %s takes %s", r.URL.Path, method)
		}
	}
	return dialect.Errorf(dialect.NoRoute, "", "Not Found: %s", r.URL.Path)
}

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, err error) {
	known := s.options.Admission.Explain(err)
	a := &dialect.Answer{Writer: wire.NewWriter(w)}
	kserve.Fail(a, known)
	w.Header().Set("Content-Type", "application/json")
	if known.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(known.RetryAfter.Seconds()))))
	}
	w.WriteHeader(a.Status)
	_ = a.Close() // a client that has left needs no error
}

// send answers with a message, or with why there is none.
func (s *Server) send(w http.ResponseWriter, m proto.Message, err error) {
	if err != nil {
		s.fail(w, err)
		return
	}
	sendJSON(w, appendMessage(nil, m.ProtoReflect()))
}

func sendJSON(w http.ResponseWriter, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // a client that has left needs no answer
}

func (s *Server) serveStatistics(w http.ResponseWriter, r *http.Request) {
	list, err := s.Statistics(r.PathValue("model"), r.PathValue("version"))
	s.send(w, &pb.ModelStatisticsResponse{ModelStats: list}, err)
}

// body reads the fields of a JSON body; an empty one has none. They are valid
// until release.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (fields *wire.Body, release func(), err error) {
	data, release, refused := s.options.Admission.ReadBody(w, r)
	if refused != nil {
		return nil, release, refused
	}
	fields, err = kserve.ParseBody(data)
	return fields, release, err
}

func (s *Server) serveIndex(w http.ResponseWriter, r *http.Request) {
	fields, release, err := s.body(w, r)
	defer release()
	if err != nil {
		s.fail(w, err)
		return
	}
	v, _ := fields.Get("ready")
	list, err := s.Index("", v.Kind() == 't') // over HTTP the reference server does not look at the repository's name
	if err != nil {
		s.fail(w, err)
		return
	}
	b := []byte{'['}
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendIndex(b, m)
	}
	sendJSON(w, append(b, ']'))
}

// appendIndex writes a line of the index; what it does not say is left out.
func appendIndex(b []byte, m *pb.RepositoryIndexResponse_ModelIndex) []byte {
	line, _ := json.Marshal(struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
		State   string `json:"state,omitempty"`
		Reason  string `json:"reason,omitempty"`
	}{m.Name, m.Version, m.State, m.Reason}) // strings always marshal
	return append(b, line...)
}

func (s *Server) serveLoad(w http.ResponseWriter, r *http.Request) {
	fields, release, err := s.body(w, r)
	defer release()
	if err == nil {
		var config *pb.ModelConfig
		if config, err = loadParameters(fields); err == nil {
			err = s.LoadFor(r.Context(), r.PathValue("repository"), r.PathValue("model"), config)
		}
	}
	if err != nil {
		s.fail(w, err)
	}
}

// loadParameters reads the config that a load may bring along.
func loadParameters(fields *wire.Body) (*pb.ModelConfig, error) {
	v, ok := fields.Get("parameters")
	if !ok {
		return nil, nil
	}
	parameters, err := wire.ParseBody(v)
	if err != nil || len(parameters.Bare) > 0 {
		return nil, dialect.Errorf(dialect.Value, "", "Unable to parse 'parameters'")
	}
	var config *pb.ModelConfig
	for name := range parameters.Names() {
		value, _ := parameters.Get(name)
		text, err := wire.String(name, value)
		if err != nil {
			return nil, err
		}
		if config, err = loadParameter(name, text); err != nil {
			return nil, err
		}
	}
	return config, nil
}

// loadParameter reads "config", the only parameter of a load that has a meaning
// here.
func loadParameter(name, text string) (*pb.ModelConfig, error) {
	if strings.HasPrefix(name, "file:") {
		return nil, dialect.Errorf(dialect.Unsupported, "", "load parameter '%.40s' is not supported: put files into the model repository", name)
	}
	if name != "config" {
		return nil, dialect.Errorf(dialect.Value, "", "unrecognized load parameter '%.40s'", name)
	}
	config := &pb.ModelConfig{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal([]byte(text), config); err != nil {
		return nil, dialect.Errorf(dialect.Value, "", "load parameter 'config' is no model configuration in JSON: %v", err)
	}
	return config, nil
}

func (s *Server) serveUnload(w http.ResponseWriter, r *http.Request) {
	fields, release, err := s.body(w, r)
	defer release()
	if err == nil {
		err = s.UnloadFor(r.PathValue("repository"), r.PathValue("model"), unloadDependents(fields))
	}
	if err != nil {
		s.fail(w, err)
	}
}

func unloadDependents(fields *wire.Body) bool {
	if v, ok := fields.Get("parameters"); ok {
		if parameters, err := wire.ParseBody(v); err == nil {
			dependents, _ := parameters.Get("unload_dependents")
			return dependents.Kind() == 't'
		}
	}
	return false
}

// serveInfer answers an inference request.
func (s *Server) serveInfer(w http.ResponseWriter, r *http.Request) {
	leave, refused := s.options.Admission.Enter()
	if refused != nil {
		s.fail(w, refused)
		return
	}
	defer leave()
	body, release, refused := s.options.Admission.ReadBody(w, r)
	defer release()
	if refused != nil {
		s.fail(w, refused)
		return
	}
	request, err := kserve.DecodeHTTP(r.PathValue("model"), r.PathValue("version"), r.Header.Get(tensor.HeaderLength), body)
	if err != nil {
		s.fail(w, err)
		return
	}
	answer, err := s.Infer(r.Context(), request)
	if err != nil {
		s.fail(w, err)
		return
	}
	encoded, err := kserve.EncodeHTTP(request, answer)
	if err != nil {
		s.fail(w, err)
		return
	}
	if err := sendTensors(w, r, encoded); err != nil {
		s.log.Debug("client left before its answer", "path", r.URL.Path, "error", err)
	}
}

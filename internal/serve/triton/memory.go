package triton

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// memoryRoutes answer the shared memory extensions: there are no regions, and
// none can be made.
func (s *Server) memoryRoutes(mux *http.ServeMux) {
	for _, kind := range []string{"/v2/systemsharedmemory", "/v2/cudasharedmemory"} {
		for _, path := range []string{kind, kind + "/region/{region}"} {
			mux.HandleFunc("GET "+path+"/status", func(w http.ResponseWriter, r *http.Request) {
				if region := r.PathValue("region"); region != "" {
					s.fail(w, noRegion(region))
					return
				}
				sendJSON(w, []byte("[]"))
			})
			mux.HandleFunc("POST "+path+"/register", func(w http.ResponseWriter, r *http.Request) {
				s.fail(w, noSharedMemory(r.PathValue("region")))
			})
			mux.HandleFunc("POST "+path+"/unregister", func(w http.ResponseWriter, r *http.Request) {}) // there was none
		}
	}
}

func noRegion(name string) error {
	return dialect.Errorf(dialect.NoModel, "", "Unable to find shared memory region: '%s'", name)
}

func noSharedMemory(region string) error {
	return dialect.Errorf(dialect.Unsupported, "", "failed to register shared memory region '%s': shared memory is not supported; send tensors in the request", region)
}

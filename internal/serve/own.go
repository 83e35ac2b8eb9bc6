package serve

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/fastapi"
	"github.com/paceline/paceline/internal/serve/dialect/tei"
)

type describe = func(a *dialect.Answer, i *dialect.Info, s *dialect.Stats)

// ownRoutes are those that every profile has unless one of its dialects has them
// in its own words: liveness, readiness and /info.
func ownRoutes(fail func(*dialect.Answer, *dialect.Error)) []dialect.Route {
	get := func(path string, d describe) dialect.Route {
		return dialect.Route{Method: http.MethodGet, Path: path, Describe: d, Fail: fail, Open: true}
	}
	return []dialect.Route{
		get("/health/live", live),
		get("/health/ready", ready),
		get("/health", ready),
		tei.Info(),
	}
}

// live answers as long as the process does.
func live(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) { a.Raw(`{"status":"alive"}`) }

// ready answers 200 once the model is loaded, and until a shutdown begins.
func ready(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	if s.Ready {
		a.Raw(`{"status":"ready"}`)
		return
	}
	a.Status = http.StatusServiceUnavailable
	a.Raw(`{"status":"unavailable"}`)
}

// everything is what the server's own profile adds to all the dialects: one
// /health in which each of their clients finds what it looks for.
func everything() dialect.Dialect {
	return dialect.Dialect{Name: "every dialect", OpenAPI: everythingOpenAPI, Routes: []dialect.Route{{
		Method: http.MethodGet, Path: "/health", Describe: health, Fail: fastapi.Fail, Open: true,
	}}}
}

func health(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	status := "healthy"
	if !s.Ready {
		a.Status, status = http.StatusServiceUnavailable, "unavailable"
	}
	a.Raw(`{"status":`)
	a.String(status)
	a.Raw(`,"backend":"paceline","model":`)
	a.String(i.Model)
	a.Raw(`,"gpu_available":`)
	a.Bool(i.Device != "cpu" && i.Device != "")
	a.Raw(`,`)
	fastapi.EncodeStats(a, i, s)
	a.Raw(`}`)
}

package serve

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/resident"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// describe answers from what the server knows about itself.
func (s *Server) describe(x *exchange) {
	info, stats := &dialect.Info{Version: s.options.Version, Profile: s.profile.Name}, dialect.Stats{}
	if o := s.models.Load(); o != nil {
		q := o.stats()
		info = o.list[0].about.Load()
		stats = dialect.Stats{Batches: q.Batches, Texts: q.Texts, AverageBatch: q.AverageBatch(), Waiting: q.Waiting, Models: o.served()}
	}
	stats.Ready = s.ready()
	_ = x.respond(func(a *dialect.Answer) { x.route.Describe(a, info, &stats) })
}

// work answers a request that wants the model.
func (s *Server) work(x *exchange, routes []dialect.Route) {
	x.began = time.Now()
	s.metrics.active.Inc()
	defer s.metrics.active.Dec()
	models := s.models.Load()
	if models == nil {
		s.fail(x, notReady(time.Second))
		return
	}
	leave, err := s.gate.enter()
	if err != nil {
		s.fail(x, err)
		return
	}
	defer leave()
	request, model, err := s.understand(x, routes, models)
	if err != nil {
		s.fail(x, err)
		return
	}
	x.model = model.Name
	h, release, failed := s.acquire(x.r.Context(), models, model)
	if failed != nil {
		s.fail(x, s.explain(failed))
		return
	}
	defer release()
	job := newJob(h, request)
	defer job.release()
	if err := job.run(x.r.Context()); err != nil {
		s.fail(x, s.explain(err))
		return
	}
	job.result.Times.Total = time.Since(x.began)
	x.times = &job.result.Times
	if job.result.Truncated > 0 {
		x.w.Header().Set("X-Truncated-Inputs", strconv.Itoa(job.result.Truncated))
	}
	if job.result.Chunked > 0 {
		x.w.Header().Set("X-Chunked-Inputs", strconv.Itoa(job.result.Chunked))
	}
	if err := x.respond(func(a *dialect.Answer) { request.Encode(a, &job.result) }); err != nil {
		s.log.Debug("client left before its answer", "path", x.r.URL.Path, "error", err)
	}
	s.metrics.answered(h, request, &job.result)
}

// understand reads the body, has it decoded and finds the model that it means.
func (s *Server) understand(x *exchange, routes []dialect.Route, models *offer) (*dialect.Request, *offered, *dialect.Error) {
	data, release, failed := s.readBody(x.w, x.r)
	defer release()
	if failed != nil {
		return nil, nil, failed
	}
	body, err := wire.ParseBody(data)
	if err != nil {
		return nil, nil, dialect.AsError(err)
	}
	x.route = choose(routes, body)
	call := dialect.Call{Body: body, Info: models.list[0].about.Load(), InfoOf: models.infoOf, ID: x.w.Header().Get(requestIDHeader), Time: x.began}
	if x.r.URL.RawQuery != "" {
		call.Query = x.r.URL.Query()
	}
	request, err := x.route.Decode(&call)
	if err != nil {
		return nil, nil, dialect.AsError(err)
	}
	model := models.find(request.Model)
	switch {
	case model == nil && s.profile.AnyModel:
		model = models.list[0]
	case model == nil:
		return nil, nil, dialect.Errorf(dialect.NoModel, "model", "the model %q is not served here; this server has %s", request.Model, models.names())
	}
	return request, model, nil
}

func notReady(retry time.Duration) *dialect.Error {
	e := dialect.Errorf(dialect.Unavailable, "", "the model is still being loaded")
	e.RetryAfter = retry
	return e
}

// explain gives the errors of pipeline and queue their kind.
func (s *Server) explain(err error) *dialect.Error {
	var known *dialect.Error
	var tooLong *pipeline.TooLongError
	var overload *batch.OverloadError
	var prompt *pipeline.UnknownPromptError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &tooLong):
		return &dialect.Error{Kind: dialect.TooLong, Message: err.Error(), Given: tooLong.Tokens, Limit: tooLong.Limit}
	case errors.As(err, &prompt):
		// TEI's clients read the names out of these words.
		known, _ := json.Marshal(prompt.Known)
		return dialect.Errorf(dialect.Value, "prompt_name", "there is no prompt named %q. Available prompts: %s", prompt.Name, known)
	case errors.Is(err, pipeline.ErrDimensions):
		return dialect.Errorf(dialect.Value, "dimensions", "%v", err)
	case errors.Is(err, pipeline.ErrTokenID), errors.Is(err, pipeline.ErrNoTokens):
		return dialect.Errorf(dialect.Value, "", "%v", err)
	case errors.As(err, &overload):
		return &dialect.Error{Kind: dialect.Overloaded, Message: overload.Reason(), RetryAfter: overload.RetryAfter}
	case errors.Is(err, resident.ErrTooLarge):
		return dialect.Errorf(dialect.Unavailable, "model", "the model cannot be opened: %v", err)
	case errors.Is(err, batch.ErrClosed), errors.Is(err, resident.ErrClosed):
		return &dialect.Error{Kind: dialect.Unavailable, Message: "the server is shutting down", RetryAfter: time.Second}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &dialect.Error{Kind: dialect.Timeout, Message: "the request ended before its answer: " + err.Error()}
	}
	s.log.Error("request failed", "error", err)
	return &dialect.Error{Kind: dialect.Internal, Message: err.Error()}
}

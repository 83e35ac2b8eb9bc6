package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve"
	"github.com/paceline/paceline/internal/serve/triton"
)

// serveCommand is paceline serve. Its environment variables are PACELINE_*, and
// TEI's own names where the flag is TEI's.
type serveCommand struct {
	Serving serveModels `embed:"" group:"Models"`

	Profile   string `enum:",fastapi,triton,tei,langchain,vllm" default:"" placeholder:"NAME" env:"PACELINE_PROFILE" help:"Play one stack, with its batching, API, port and limits: fastapi, triton, tei, langchain, vllm (none: continuous batching and every API on one port)."`
	DType     string `name:"dtype" default:"auto" env:"PACELINE_DTYPE,DTYPE" help:"Arithmetic of the linear layers: auto, float32, bfloat16, int16, int8 (${default})."`
	Threads   int    `placeholder:"N" env:"PACELINE_THREADS" help:"Threads of the engine (one a core)."`
	Device    string `default:"auto" env:"PACELINE_DEVICE" help:"Device to compute on: auto or cpu (${default})."`
	Prompt    string `name:"default-prompt" xor:"prompt" placeholder:"TEXT" env:"PACELINE_DEFAULT_PROMPT,DEFAULT_PROMPT" help:"Text put before every input that names no prompt."`
	PromptKey string `name:"default-prompt-name" xor:"prompt" placeholder:"NAME" env:"PACELINE_DEFAULT_PROMPT_NAME,DEFAULT_PROMPT_NAME" help:"The model's prompt for every input that names none."`

	Calibration string `type:"existingfile" placeholder:"FILE" env:"PACELINE_CALIBRATION" help:"Texts, one a line, whose embeddings give int8 and uint8 their ranges (Cohere's /v2/embed)."`

	Listen     serveListen     `embed:"" group:"Where it listens"`
	Repository serveRepository `embed:"" group:"Triton's world (--profile triton)"`
	Limits     serveLimits     `embed:"" group:"Limits (defaults are the profile's)"`
	Log        serveLog        `embed:"" group:"Log"`

	lines *triton.Logging // of the log, once there is one
}

type serveListen struct {
	Host    string   `default:"127.0.0.1" aliases:"hostname" env:"PACELINE_HOST" help:"Address to listen on; 0.0.0.0 is every one (${default})."`
	Port    *uint16  `short:"p" placeholder:"N" env:"PACELINE_PORT,PORT" help:"Port (the profile's: tei 8080, vllm 8001, others 8000). 0 takes a free one and prints it as JSON on stdout when ready."`
	Metrics *uint16  `name:"metrics-port" aliases:"prometheus-port" placeholder:"N" env:"PACELINE_METRICS_PORT,PROMETHEUS_PORT" help:"A second port for /metrics and /health, without API key and TLS (triton: 8002)."`
	GRPC    *uint16  `name:"grpc-port" placeholder:"N" env:"PACELINE_GRPC_PORT" help:"Port of KServe v2 over gRPC (triton: 8001, others none). With --port 0 this and the metrics port are free ones too, unless given."`
	APIKey  string   `name:"api-key" placeholder:"KEY" env:"PACELINE_API_KEY,API_KEY" help:"Key that requests must bear (Authorization: Bearer KEY). Health, /metrics and /docs stay open."`
	Cert    string   `name:"tls-cert" and:"tls" type:"existingfile" placeholder:"FILE" env:"PACELINE_TLS_CERT" help:"Certificate chain, PEM."`
	Key     string   `name:"tls-key" and:"tls" type:"existingfile" placeholder:"FILE" env:"PACELINE_TLS_KEY" help:"Its private key, PEM."`
	Origins []string `name:"cors-allow-origin" placeholder:"ORIGIN" env:"PACELINE_CORS_ALLOW_ORIGIN,CORS_ALLOW_ORIGIN" help:"Origins whose pages may call from a browser; * is any."`
}

type serveLimits struct {
	BatchTokens   int           `name:"max-batch-tokens" placeholder:"N" env:"PACELINE_MAX_BATCH_TOKENS,MAX_BATCH_TOKENS" help:"Tokens in one batch."`
	BatchRequests int           `name:"max-batch-requests" placeholder:"N" env:"PACELINE_MAX_BATCH_REQUESTS,MAX_BATCH_REQUESTS" help:"Texts (with fastapi: requests) in one batch."`
	Concurrent    int           `name:"max-concurrent-requests" placeholder:"N" env:"PACELINE_MAX_CONCURRENT_REQUESTS,MAX_CONCURRENT_REQUESTS" help:"Requests in progress; further ones are answered 429 at once."`
	Inputs        int           `name:"max-client-batch-size" placeholder:"N" env:"PACELINE_MAX_CLIENT_BATCH_SIZE,MAX_CLIENT_BATCH_SIZE" help:"Inputs in one request."`
	Body          int64         `name:"payload-limit" placeholder:"BYTES" env:"PACELINE_PAYLOAD_LIMIT,PAYLOAD_LIMIT" help:"Bytes of one request's body, unpacked."`
	LongText      string        `name:"long-text" enum:",truncate,chunk-mean,error" default:"" placeholder:"WHAT" env:"PACELINE_LONG_TEXT" help:"What becomes of an input that is too long, unless the request says: truncate it, embed it in chunks and take their mean (chunk-mean), or refuse it (error)."`
	Truncate      *bool         `name:"auto-truncate" negatable:"" env:"PACELINE_AUTO_TRUNCATE,AUTO_TRUNCATE" help:"Cut inputs that are too long unless the request says otherwise."`
	Drain         time.Duration `name:"drain-timeout" default:"30s" env:"PACELINE_DRAIN_TIMEOUT" help:"How long a shutdown waits for the requests it has accepted (${default})."`
}

type serveLog struct {
	Level slog.Level `name:"log-level" default:"info" env:"PACELINE_LOG_LEVEL" help:"debug (with every request), info, warn or error (${default})."`
	JSON  bool       `name:"json-output" env:"PACELINE_JSON_OUTPUT,JSON_OUTPUT" help:"Log in JSON."`
}

// Run serves until ctx ends.
func (c *serveCommand) Run(ctx context.Context) error {
	began := time.Now()
	log := c.logger()
	c.leaveRoomForRequests()
	profile, err := c.profile()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	calibration, err := c.calibration()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	server := serve.New(profile, serve.Options{
		Version: version(), APIKey: c.Listen.APIKey, Origins: c.Listen.Origins, Log: log,
		Drain: c.Limits.Drain, Calibration: calibration, Prompt: c.Prompt, PromptName: c.PromptKey, ModelMemory: int64(c.Serving.Memory),
	})
	var inference *triton.Server
	if profile.Name == tritonProfile {
		inference = c.extend(server, profile)
	}
	ports, err := c.listen(profile, inference)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, onSecondSignal(ctx), ports.doors...) }()

	started, err := c.start(ctx, server, inference)
	if err != nil {
		cancel(err)
		return errors.Join(err, <-stopped)
	}
	defer started.close()
	ready := append(ports.attributes(), started.attributes...)
	log.Info("ready", append(ready, "profile", cmp.Or(profile.Name, "none"), "policy", profile.Policy.Name(), "took", time.Since(began).Round(time.Millisecond))...)
	if c.Listen.Port != nil && *c.Listen.Port == 0 {
		if err := announce(ready, time.Since(began)); err != nil {
			cancel(err)
		}
	}
	return <-stopped
}

// announce prints where the server listens as JSON, for whoever let it choose
// the port.
func announce(attributes []any, took time.Duration) error {
	ready := map[string]any{"ready_ms": took.Milliseconds()}
	for i := 0; i < len(attributes); i += 2 {
		switch name := attributes[i].(string); name {
		case "listening", "grpc", "metrics", "model":
			ready[name] = attributes[i+1]
		}
	}
	return json.NewEncoder(os.Stdout).Encode(ready)
}

// started is what a server serves: attributes for the log, and how it ends.
type started struct {
	attributes []any
	close      func()
}

// start opens what is to be served and hands it to the server.
func (c *serveCommand) start(ctx context.Context, server *serve.Server, inference *triton.Server) (started, error) {
	watching, stop := context.WithCancel(ctx)
	if c.Repository.Dir != "" {
		if err := c.startRepository(ctx, inference); err != nil {
			stop()
			return started{}, err
		}
		go inference.Watch(watching)
		return started{[]any{"model_repository", c.Repository.Dir, "control", c.Repository.Control}, stop}, nil
	}
	stop()
	if len(c.Serving.Models) == 1 && !c.Serving.Lazy && c.Serving.Memory == 0 {
		return c.startOne(ctx, server, inference)
	}
	attributes, err := c.offer(ctx, server)
	return started{attributes, func() {}}, err
}

// logger writes the lines that --log-level names, until a client of the triton
// profile sets others.
func (c *serveCommand) logger() *slog.Logger {
	if c.lines == nil {
		c.lines = triton.NewLogging(c.Log.handler(), c.Log.Level)
	}
	return slog.New(c.lines)
}

// handler writes every line.
func (l *serveLog) handler() slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelDebug}
	if l.JSON {
		return slog.NewJSONHandler(os.Stderr, o)
	}
	return slog.NewTextHandler(os.Stderr, o)
}

func (c *serveCommand) profile() (serve.Profile, error) {
	name := c.Profile
	if name == "" && c.Repository.Dir != "" {
		name = tritonProfile
	}
	p, err := serve.ProfileNamed(name)
	if err != nil {
		return p, err
	}
	if err := errors.Join(checkThreads(c.Threads), c.Repository.check(name), c.Serving.check(name, c.Repository.Dir != "")); err != nil {
		return p, err
	}
	if c.Repository.Dir != "" {
		p.Dialects = nil // its models are the repository's
	}
	switch {
	case c.Listen.GRPC != nil && p.GRPC == 0:
		return p, fmt.Errorf("--grpc-port belongs to --profile triton, not to %q", name)
	case c.Limits.LongText != "" && c.Limits.Truncate != nil: // a default would count as given in kong's xor
		return p, errors.New("--long-text and --auto-truncate both say what becomes of long inputs: give one of them")
	case c.Limits.Drain < 0:
		return p, fmt.Errorf("--drain-timeout is %v; it must not be negative", c.Limits.Drain)
	}
	return p.Tune(serve.Tuning{
		BatchTokens: c.Limits.BatchTokens, BatchRequests: c.Limits.BatchRequests, Concurrent: c.Limits.Concurrent,
		Inputs: c.Limits.Inputs, Body: c.Limits.Body, Truncate: c.Limits.Truncate, LongText: pipeline.LongText(c.Limits.LongText),
	})
}

// ports are the open doors, under names for the log.
type ports struct {
	doors   []serve.Door
	listens map[string]string // listening, grpc, metrics
}

func (p *ports) attributes() []any {
	var list []any
	for _, name := range []string{"listening", "grpc", "metrics"} {
		if at := p.listens[name]; at != "" {
			list = append(list, name, at)
		}
	}
	return list
}

func (p *ports) close() (err error) {
	for _, d := range p.doors {
		err = errors.Join(err, d.Listener.Close())
	}
	return err
}

// listen opens the ports before anything slow is done, so that a port in use is
// said at once.
func (c *serveCommand) listen(profile serve.Profile, inference *triton.Server) (*ports, error) {
	secure := func(l net.Listener) net.Listener { return l }
	scheme := "http://"
	if c.Listen.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Listen.Cert, c.Listen.Key)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: %w", c.Listen.Cert, c.Listen.Key, err)
		}
		scheme = "https://"
		secure = func(l net.Listener) net.Listener {
			return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}})
		}
	}
	p := &ports{listens: map[string]string{}}
	l, err := listenOn(c.Listen.Host, c.port(c.Listen.Port, profile.Port))
	if err != nil {
		return nil, fmt.Errorf("%w; choose another with --port", err)
	}
	p.doors, p.listens["listening"] = append(p.doors, serve.Door{Listener: secure(l)}), scheme+l.Addr().String()
	if profile.GRPC != 0 {
		l, err := listenOn(c.Listen.Host, c.port(c.Listen.GRPC, profile.GRPC))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w; choose another with --grpc-port", err), p.close())
		}
		p.doors, p.listens["grpc"] = append(p.doors, serve.Door{Listener: secure(l), Answers: inference.GRPC()}), l.Addr().String()
	}
	if profile.Metrics != 0 || c.Listen.Metrics != nil {
		l, err := listenOn(c.Listen.Host, c.port(c.Listen.Metrics, profile.Metrics))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w; choose another with --metrics-port", err), p.close())
		}
		p.doors, p.listens["metrics"] = append(p.doors, serve.Door{Listener: l, Watch: true}), "http://"+l.Addr().String()
	}
	return p, nil
}

// port is the one given, or else the profile's; where --port is 0, a free one.
func (c *serveCommand) port(given *uint16, otherwise int) int {
	switch {
	case given != nil:
		return int(*given)
	case c.Listen.Port != nil && *c.Listen.Port == 0:
		return 0
	}
	return otherwise
}

func listenOn(host string, port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// onSecondSignal ends when the process is told to stop once more after ctx has
// ended: whoever asks twice does not want to wait.
func onSecondSignal(ctx context.Context) context.Context {
	force, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		<-again
		cancel(errors.New("told to stop twice"))
	})
	return force
}

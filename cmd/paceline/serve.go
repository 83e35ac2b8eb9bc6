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
	"strings"
	"syscall"
	"time"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/serve"
	"github.com/paceline/paceline/internal/store"
)

// serveCommand is paceline serve. Its environment variables are PACELINE_*, and
// TEI's own names where the flag is TEI's.
type serveCommand struct {
	Model     string `default:"all-MiniLM-L6-v2" aliases:"model-id" placeholder:"NAME|DIR" env:"PACELINE_MODEL,MODEL_ID" help:"Model to serve: a name, org/name, org/name@revision, or a folder in Hugging Face layout (${default})."`
	Revision  string `placeholder:"REV" env:"PACELINE_REVISION,REVISION" help:"Revision of the model, as after @ in its name."`
	ServedAs  string `name:"served-model-name" placeholder:"NAME" env:"PACELINE_SERVED_MODEL_NAME,SERVED_MODEL_NAME" help:"Name under which the model is served (the model's own)."`
	Profile   string `enum:",fastapi,triton,tei,langchain,vllm" default:"" placeholder:"NAME" env:"PACELINE_PROFILE" help:"Play one stack, with its batching, API, port and limits: fastapi, triton, tei, langchain, vllm (none: continuous batching and every API on one port)."`
	DType     string `name:"dtype" default:"auto" env:"PACELINE_DTYPE,DTYPE" help:"Arithmetic of the linear layers: auto, float32, bfloat16, int16, int8 (${default})."`
	Threads   int    `placeholder:"N" env:"PACELINE_THREADS" help:"Threads of the engine (one a core)."`
	Device    string `default:"auto" env:"PACELINE_DEVICE" help:"Device to compute on: auto or cpu (${default})."`
	Prompt    string `name:"default-prompt" xor:"prompt" placeholder:"TEXT" env:"PACELINE_DEFAULT_PROMPT,DEFAULT_PROMPT" help:"Text put before every input that names no prompt."`
	PromptKey string `name:"default-prompt-name" xor:"prompt" placeholder:"NAME" env:"PACELINE_DEFAULT_PROMPT_NAME,DEFAULT_PROMPT_NAME" help:"The model's prompt for every input that names none."`

	Listen serveListen `embed:"" group:"Where it listens"`
	Limits serveLimits `embed:"" group:"Limits (defaults are the profile's)"`
	Log    serveLog    `embed:"" group:"Log"`
}

type serveListen struct {
	Host    string   `default:"127.0.0.1" aliases:"hostname" env:"PACELINE_HOST" help:"Address to listen on; 0.0.0.0 is every one (${default})."`
	Port    *uint16  `short:"p" placeholder:"N" env:"PACELINE_PORT,PORT" help:"Port (the profile's: tei 8080, vllm 8001, others 8000). 0 takes a free one and prints it as JSON on stdout when ready."`
	Metrics *uint16  `name:"metrics-port" aliases:"prometheus-port" placeholder:"N" env:"PACELINE_METRICS_PORT,PROMETHEUS_PORT" help:"A second port for /metrics and /health, without API key and TLS."`
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
	profile, err := c.profile()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	doors, err := c.listen(profile)
	if err != nil {
		return err
	}
	server := serve.New(profile, serve.Options{
		Version: version(), APIKey: c.Listen.APIKey, Origins: c.Listen.Origins, Log: log,
		Drain: c.Limits.Drain, Prompt: c.Prompt, PromptName: c.PromptKey,
	})
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(ctx, onSecondSignal(ctx), doors...) }()

	m, err := c.load(ctx, server)
	switch {
	case err != nil && ctx.Err() == nil:
		cancel(err)
		return errors.Join(err, <-stopped)
	case err != nil: // told to stop while loading
		return <-stopped
	}
	defer m.Close()
	took, url := time.Since(began), c.url(doors[0].Listener)
	log.Info("ready", "listening", url, "model", m.Name, "revision", m.Revision, "profile", cmp.Or(profile.Name, "none"),
		"policy", profile.Policy.Name(), "dtype", m.DType, "device", m.Device, "cpu_level", m.CPULevel, "threads", m.Threads,
		"took", took.Round(time.Millisecond))
	if err := c.printReady(url, m.Name, took); err != nil {
		cancel(err)
		return errors.Join(err, <-stopped)
	}
	return <-stopped
}

// printReady tells a program that started the server which port it took.
func (c *serveCommand) printReady(url, model string, took time.Duration) error {
	if c.Listen.Port == nil || *c.Listen.Port != 0 {
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"listening": url, "model": model, "ready_ms": took.Milliseconds()})
}

func (c *serveCommand) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: c.Log.Level}
	if c.Log.JSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

func (c *serveCommand) profile() (serve.Profile, error) {
	p, err := serve.ProfileNamed(c.Profile)
	if err != nil {
		return p, err
	}
	return p.Tune(serve.Tuning{
		BatchTokens: c.Limits.BatchTokens, BatchRequests: c.Limits.BatchRequests, Concurrent: c.Limits.Concurrent,
		Inputs: c.Limits.Inputs, Body: c.Limits.Body, Truncate: c.Limits.Truncate,
	})
}

// load opens the model and hands it to the server.
func (c *serveCommand) load(ctx context.Context, server *serve.Server) (*assemble.Model, error) {
	name := c.Model
	if c.Revision != "" && !strings.Contains(name, "@") {
		name += "@" + c.Revision
	}
	m, err := assemble.Open(ctx, store.New(store.FromEnvironment()), name,
		assemble.Options{DType: c.DType, Threads: c.Threads, Device: c.Device})
	if err != nil {
		return nil, err
	}
	err = server.Load(serve.Model{
		Name: cmp.Or(c.ServedAs, m.Name), Aliases: []string{c.Model}, Repository: m.Name, Revision: m.Revision,
		DType: m.DType, CPULevel: m.CPULevel, Device: m.Device, Threads: m.Threads,
		Width: m.Spec.Dim(), Hidden: m.Spec.Hidden, Pipeline: m.Pipeline, Runner: m.Engine,
	})
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// listen opens the ports before anything slow is done, so that a port in use is
// said at once.
func (c *serveCommand) listen(p serve.Profile) ([]serve.Door, error) {
	port := p.Port
	if c.Listen.Port != nil {
		port = int(*c.Listen.Port)
	}
	l, err := listenOn(c.Listen.Host, port)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another with --port", err)
	}
	if c.Listen.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Listen.Cert, c.Listen.Key)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("--tls-cert %s, --tls-key %s: %w", c.Listen.Cert, c.Listen.Key, err), l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}})
	}
	doors := []serve.Door{{Listener: l}}
	if c.Listen.Metrics != nil {
		m, err := listenOn(c.Listen.Host, int(*c.Listen.Metrics))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w; choose another with --metrics-port", err), l.Close())
		}
		doors = append(doors, serve.Door{Listener: m, Watch: true})
	}
	return doors, nil
}

func listenOn(host string, port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

func (c *serveCommand) url(l net.Listener) string {
	if c.Listen.Cert != "" {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// onSecondSignal ends when the process is told to stop once more after ctx has
// ended: whoever asks twice does not want to wait.
func onSecondSignal(ctx context.Context) context.Context {
	force, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		<-again
		cancel()
	})
	return force
}

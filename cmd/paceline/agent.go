package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/agent"
	"github.com/paceline/paceline/internal/bench/sample"
)

// agentCommand is `paceline agent`: it tells a benchmark on another machine what a
// server on this one takes. Ctrl-C is how it ends.
type agentCommand struct {
	Listen string `default:"127.0.0.1:9470" placeholder:"HOST:PORT" help:"Address to answer at; one that other machines reach needs a token (${default})."`
	PID    int    `name:"pid" xor:"process" required:"" placeholder:"N" help:"Root of the process tree to tell of."`
	Port   int    `xor:"process" required:"" placeholder:"N" help:"The same by a TCP port that it listens on; found anew when the server is started again."`
	Token  string `placeholder:"TEXT" env:"PACELINE_AGENT_TOKEN" help:"What askers must know. It travels as it is: use a private network or a tunnel."`
}

// Run answers until it is told to end.
func (c *agentCommand) Run(ctx context.Context) error {
	if err := agent.CheckListen(c.Listen, c.Token); err != nil {
		return fmt.Errorf("%w: --listen %w", errUsage, err)
	}
	if c.PID < 0 || c.Port < 0 || c.Port > 65535 || c.PID == 0 && c.Port == 0 {
		return fmt.Errorf("%w: --pid and --port must be above 0, ports below 65536", errUsage)
	}
	if c.PID != 0 { // a port may get its listener later
		if _, err := sample.Of(c.PID); err != nil {
			return fmt.Errorf("--pid %d: no such process runs here: %w", c.PID, err)
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	gpus, err := sample.OpenGPUs()
	if err != nil {
		log.Info("no GPU figures", "reason", err)
	} else {
		defer gpus.Close()
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	m := machine(ctx, 0)
	if gpus != nil {
		m.GPU, m.GPUReader = strings.Join(gpus.Names, ", "), gpus.Reader
	}
	server := agent.NewServer(agent.Options{Token: c.Token, Machine: m, Find: c.find, GPUs: gpus})
	log.Info("telling", "address", listener.Addr().String(), "pid", c.PID, "port", c.Port, "token", c.Token != "")
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // what is under way is a reading: nobody misses it
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// find is the process to tell of.
func (c *agentCommand) find() (int, error) {
	if c.PID != 0 {
		return c.PID, nil
	}
	if pid := sample.Listener("http://127.0.0.1:" + strconv.Itoa(c.Port)); pid != 0 {
		return pid, nil
	}
	return 0, fmt.Errorf("no process that this user may see listens on port %d", c.Port)
}

// agentToken is where a benchmark looks for what its agents want to hear.
const agentToken = "PACELINE_AGENT_TOKEN"

// metricsPage ends the URL of a page of metrics, which is read instead of an agent.
const metricsPage = "/metrics"

// resourcesAt is who tells what a service takes, at a URL that a flag gave, and words
// about its machine where it knows them.
func resourcesAt(ctx context.Context, address string) (source sample.Source, machine string, err error) {
	if u, err := url.Parse(address); err == nil && strings.HasSuffix(u.Path, metricsPage) {
		source, err := sample.Metrics(ctx, address)
		return source, "", err
	}
	client, err := agent.Dial(ctx, address, os.Getenv(agentToken))
	if err != nil {
		return nil, "", err
	}
	m := client.Machine
	return client, strings.TrimSpace(fmt.Sprintf("%s, %s, %s %s %s", m.CPU, english.Plural(m.Cores, "core", ""), m.OS, m.Kernel, m.GPU)), nil
}

// selfTold is what a service on another machine tells of itself at /metrics, nil where
// it does not, or runs on this machine.
func selfTold(ctx context.Context, service string) sample.Source {
	u, err := url.Parse(service)
	if err != nil || sample.Listener(service) != 0 {
		return nil
	}
	const limit = 2 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	source, err := sample.Metrics(ctx, u.Scheme+"://"+u.Host+metricsPage)
	if err != nil {
		return nil
	}
	return source
}

// resources finds who tells what each target takes. Mistakes in --agent are wrong
// usage; an agent that does not answer is a failure, before anything is measured.
func (c *benchCommand) resources(ctx context.Context, stacks []bench.Stack) error {
	named := maps.Clone(c.Agent)
	for i := range stacks {
		s := &stacks[i]
		address, given := named[s.Name]
		switch {
		case s.URL == "": // this run starts it, on this machine
			continue
		case !given:
			s.Resources = selfTold(ctx, s.URL)
			continue
		}
		delete(named, s.Name)
		source, machine, err := resourcesAt(ctx, address)
		if err != nil {
			return err
		}
		s.Resources = source
		if machine != "" {
			s.Info = map[string]string{"machine": machine}
		}
	}
	for name, address := range named {
		return fmt.Errorf("%w: --agent %s=%s: no --target is called so", errUsage, name, address)
	}
	return nil
}

// resources does the same for the one service of a stress test.
func (c *stressCommand) resources(ctx context.Context, config *bench.StressConfig) (err error) {
	if c.Agent == "" {
		config.Resources = selfTold(ctx, c.URL)
		return nil
	}
	config.Resources, _, err = resourcesAt(ctx, c.Agent)
	return err
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/bench"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/process"
	"github.com/paceline/paceline/internal/stack"
)

// A profile as the benchmark drives it.
type benchProfile struct {
	name, dialect, policy, note string
}

var benchProfiles = []benchProfile{
	{"fastapi", "fastapi", "window", ""},
	{"triton", "kserve-http", "preferred", ""},
	{"tei", "tei", "budget", ""},
	{"langchain", "poc", "direct", ""},
	{"vllm", "poc", "continuous", ""},
}

// plainProfile is this program without a profile.
const plainProfile = "paceline"

// realStack is a stack under test by its name.
func realStack(name string) (bench.Stack, error) {
	if name == plainProfile {
		return bench.Stack{Name: name, Dialect: "poc", Policy: "continuous"}, nil
	}
	list, err := readStacks()
	if err != nil {
		return bench.Stack{}, err
	}
	_, server, err := stack.Find(list, name)
	if err != nil {
		return bench.Stack{}, fmt.Errorf("--stack: %w, %s", err, plainProfile)
	}
	return bench.Stack{Name: name, Dialect: server.Dialect, Policy: server.Policy}, nil
}

// teiClientBatch is what TEI takes in one request unless told otherwise.
const teiClientBatch = 32

// stacks are the profiles, real stacks and targets that the flags name, in their
// order. Where no stack is named the profiles are all.
func (c *benchCommand) stacks() (list []bench.Stack, err error) {
	switch {
	case slices.Equal(c.Profiles, []string{"none"}):
		c.Profiles = nil
	case len(c.Profiles) == 0 && len(c.Stack) == 0:
		for _, p := range benchProfiles {
			c.Profiles = append(c.Profiles, p.name)
		}
	}
	for _, name := range c.Profiles {
		i := slices.IndexFunc(benchProfiles, func(p benchProfile) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("--profiles: unknown profile %q: fastapi, triton, tei, langchain, vllm, or none", name)
		}
		p := benchProfiles[i]
		list = append(list, bench.Stack{Name: "paceline/" + name, Dialect: p.dialect, Policy: p.policy, Note: p.note})
	}
	for _, name := range c.Stack {
		s, err := realStack(name)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	for _, text := range c.Target {
		s, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("nothing to compare: name --profiles, a --stack or a --target")
	}
	names := map[string]bool{}
	for _, s := range list {
		if names[s.Name] {
			return nil, fmt.Errorf("two stacks are called %q", s.Name)
		}
		names[s.Name] = true
	}
	return list, nil
}

// launchAll completes the stacks with what starts them: this very program for a
// profile, an installed environment for a real stack, nothing for a target. All
// get the same model and threads. Its result releases what looks after them.
func (c *benchCommand) launchAll(ctx context.Context, config *bench.Config, list []bench.Stack) (release func(), err error) {
	if !slices.ContainsFunc(list, func(s bench.Stack) bool { return s.URL == "" }) {
		config.Stacks = list
		return func() {}, nil
	}
	starter, err := newStarter(ctx, pinned(config.Manifest.Model), c.Threads, c.Binary)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		switch {
		case s.URL != "":
		case s.Name == plainProfile || strings.HasPrefix(s.Name, plainProfile+"/"):
			c.launchProfile(&s, starter)
		default:
			c.launchReal(ctx, &s, starter)
		}
		config.Stacks = append(config.Stacks, s)
	}
	return func() { starter.keeper.Close() }, nil
}

// launchProfile starts this very program. All profiles truncate, so that long texts
// are the same work.
func (c *benchCommand) launchProfile(s *bench.Stack, starter *starter) {
	profile, log := strings.TrimPrefix(s.Name, plainProfile+"/"), strings.ReplaceAll(s.Name, "/", "-")
	command := []string{executable(), "serve", "--model", starter.name,
		"--host", "127.0.0.1", "--port", process.PortMark, "--threads", strconv.Itoa(starter.options.Threads), "--dtype", c.DType,
		"--auto-truncate", "--log-level", "warn"}
	if s.Name != plainProfile {
		command = append(command, "--profile", profile)
	}
	if profile == tritonProfile {
		command = append(command, "--grpc-port", "0", "--metrics-port", "0") // nobody else's are in the way
	}
	s.Info = map[string]string{"auto_truncate": "on for all, so that long texts are the same work"}
	if largest := c.BatchSizes[len(c.BatchSizes)-1]; profile == "tei" && largest > teiClientBatch {
		// Users who send larger batches raise the limit; a sweep that it cuts short
		// would say nothing about the stack.
		command = append(command, "--max-client-batch-size", strconv.Itoa(largest))
		s.Note = fmt.Sprintf("--max-client-batch-size %d instead of %d", largest, teiClientBatch)
	}
	s.Launch = &process.Spec{
		Name: s.Name, Command: command, LogFile: filepath.Join(c.Out, "logs", log+".log"),
		Env:    []string{"HF_HUB_OFFLINE=1"}, // the model is here: nothing is fetched while stacks are measured
		Health: "/health", Limit: time.Minute, Grace: 5 * time.Second, Keeper: starter.keeper,
	}
}

// launchReal starts an installed stack; one that cannot be is reported, and the
// others are measured.
func (c *benchCommand) launchReal(ctx context.Context, s *bench.Stack, starter *starter) {
	l, err := starter.launch(ctx, s.Name, filepath.Join(c.Out, "logs", s.Name+".log"))
	if err != nil {
		s.Unable = err
		return
	}
	s.Launch, s.Model, s.Info = l.spec, l.model, starter.home.Describe(l.stack, l.spec)
}

// pinned names the model at the revision that gave the reference vectors.
func pinned(m record.Model) string {
	if m.Revision == "" {
		return m.Name
	}
	return m.Name + "@" + m.Revision
}

// executable is this program, to be run again as a server.
func executable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

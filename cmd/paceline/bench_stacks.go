package main

import (
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
)

// A profile as the benchmark drives it.
type benchProfile struct {
	name, dialect, policy, note string
}

var benchProfiles = []benchProfile{
	{"fastapi", "fastapi", "window", ""},
	{"triton", "fastapi", "preferred", "in place of KServe v2"},
	{"tei", "tei", "budget", ""},
	{"langchain", "poc", "direct", ""},
	{"vllm", "poc", "continuous", ""},
}

// teiClientBatch is what TEI takes in one request unless told otherwise.
const teiClientBatch = 32

// stacks are the profiles and targets that the flags name, in their order.
func (c *benchCommand) stacks() (list []bench.Stack, err error) {
	if slices.Equal(c.Profiles, []string{"none"}) {
		c.Profiles = nil
	}
	for _, name := range c.Profiles {
		i := slices.IndexFunc(benchProfiles, func(p benchProfile) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("--profiles: unknown profile %q: fastapi, triton, tei, langchain, vllm, or none", name)
		}
		p := benchProfiles[i]
		list = append(list, bench.Stack{Name: "paceline/" + name, Dialect: p.dialect, Policy: p.policy, Note: p.note})
	}
	for _, text := range c.Target {
		s, err := parseTarget(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("nothing to compare: name --profiles or a --target")
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

// launch completes a stack with what starts it: this very program for a profile,
// nothing for a target. All profiles get the same model, threads and truncation.
func (c *benchCommand) launch(s bench.Stack, m record.Manifest) bench.Stack {
	profile, ours := strings.CutPrefix(s.Name, "paceline/")
	if !ours || s.URL != "" {
		return s
	}
	command := []string{executable(), "serve", "--profile", profile, "--model", pinned(m.Model),
		"--host", "127.0.0.1", "--port", process.PortMark, "--threads", strconv.Itoa(c.threads()), "--dtype", c.DType,
		"--auto-truncate", "--log-level", "warn"}
	s.Info = map[string]string{"auto_truncate": "on for all, so that long texts are the same work"}
	if largest := c.BatchSizes[len(c.BatchSizes)-1]; profile == "tei" && largest > teiClientBatch {
		// Users who send larger batches raise the limit; a sweep that it cuts short
		// would say nothing about the stack.
		command = append(command, "--max-client-batch-size", strconv.Itoa(largest))
		s.Note = fmt.Sprintf("--max-client-batch-size %d instead of %d", largest, teiClientBatch)
	}
	s.Launch = &process.Spec{
		Name: s.Name, Command: command, LogFile: filepath.Join(c.Out, "logs", profile+".log"),
		Env:    []string{"HF_HUB_OFFLINE=1"}, // the model is here: nothing is fetched while stacks are measured
		Health: "/health", Limit: time.Minute, Grace: 5 * time.Second,
	}
	return s
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

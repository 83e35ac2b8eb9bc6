package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/process"
)

// stack is a service under test while the run goes on.
type stack struct {
	Stack
	record record.Stack
	driver driver.Driver
	server *process.Server // nil: not ours
	gpus   *sample.GPUs    // of this machine
	source sample.Source   // of its resource figures; nil: there is none
	speed  speed
	// refused holds the points that it turned down: there is no sense in asking again.
	refused map[Point]bool
	// largest is the largest batch that it completed, and took its time a request.
	largest int
	took    float64
}

// up brings every stack up, one after the other, so that none is ready late
// because another was starting.
func (b *bench) up(ctx context.Context) {
	for _, configured := range b.Stacks {
		s := &stack{Stack: configured, gpus: b.gpus, refused: map[Point]bool{}, record: record.Stack{
			Name: configured.Name, Dialect: configured.Dialect, Policy: configured.Policy, Info: configured.Info,
		}}
		b.stacks = append(b.stacks, s)
		if ctx.Err() != nil {
			s.record.Error = "not reached before the run was ended"
			continue
		}
		if s.Unable != nil {
			s.record.Error = s.Unable.Error()
			b.warn(record.Warning{Stack: s.Name, Code: "stack_unable", Text: s.record.Error, Advice: "The other stacks are measured."})
			continue
		}
		b.Watcher.Stage("starting " + s.Name)
		began := time.Now()
		if err := s.start(ctx); err != nil {
			b.lose(ctx, s, err)
			continue
		}
		if !s.cheap() {
			b.startup += time.Since(began)
		}
		if err := s.settle(ctx, b.Data.Texts[0]); err != nil {
			b.lose(ctx, s, err)
		}
	}
}

// lose marks a stack that cannot be measured any more. If its server ended, that
// is the reason, whatever was noticed of it first.
func (b *bench) lose(ctx context.Context, s *stack, err error) {
	if ctx.Err() != nil {
		return // it went because the run did
	}
	if crash := s.crashedSince(ctx); crash != nil {
		err = crash
	}
	s.record.Error = err.Error()
	s.stop()
	advice := "The other stacks are measured."
	if s.Launch != nil {
		advice = "See its log; the other stacks are measured."
	}
	b.warn(record.Warning{Stack: s.Name, Code: "stack_failed", Text: err.Error(), Advice: advice})
}

// start runs the server, or finds the process of one that runs already.
func (s *stack) start(ctx context.Context) (err error) {
	url := s.URL
	if s.Launch != nil {
		if s.server, err = process.Start(ctx, *s.Launch); err != nil {
			return err
		}
		url = s.server.URL
		s.record.Command, s.record.ReadySeconds = s.server.Command, s.server.ReadySeconds
	}
	s.record.URL = url
	s.watch(ctx)
	if s.Model == "" && strings.HasPrefix(s.Dialect, "openai") {
		if s.Model, err = driver.ServedModel(ctx, url); err != nil {
			return err
		}
	}
	if s.driver, err = s.open(url); err != nil {
		return err
	}
	s.record.Door = s.driver.Door()
	if s.Note != "" {
		s.record.Door += " (" + s.Note + ")"
	}
	return nil
}

// settle sends one text, which maps in the weights, and takes the idle memory.
func (s *stack) settle(ctx context.Context, text string) error {
	if _, err := s.driver.Embed(ctx, []string{text}); err != nil {
		return fmt.Errorf("%s at %s does not embed: %w", s.Name, s.record.URL, err)
	}
	if s.source == nil {
		return nil
	}
	usage, err := s.source.Read(ctx, sample.PSS)
	if err != nil {
		return err
	}
	s.record.IdleBytes, s.record.IdlePSSBytes = usage.RSSBytes, usage.PSSBytes
	if usage.GPU != nil && usage.GPU.Own {
		s.record.IdleGPUBytes = usage.GPU.Bytes
	}
	return nil
}

// watch finds who tells what the server takes: its process, where it runs on this
// machine, or else whom the configuration names.
func (s *stack) watch(ctx context.Context) {
	pid := 0
	switch {
	case s.server != nil:
		pid = s.server.PID
	case s.Resources == nil:
		pid = sample.Listener(s.record.URL)
	}
	switch {
	case pid != 0:
		s.source = sample.Process(pid, s.gpus)
	case s.Resources != nil:
		s.source = s.Resources
	default:
		s.source = nil
	}
	s.record.Resources = ""
	if s.source != nil {
		s.record.Resources = s.source.From()
	}
}

// cheap says whether a fresh process for a repeat costs next to nothing.
func (s *stack) cheap() bool {
	const enough = 2.0
	return s.server != nil && s.record.ReadySeconds <= enough
}

func (s *stack) restart(ctx context.Context, text string) error {
	ready := s.record.ReadySeconds
	s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	s.record.ReadySeconds = ready // the first start's, like for every stack
	return s.settle(ctx, text)
}

func (s *stack) stop() {
	if s.driver != nil {
		s.driver.Close()
	}
	if s.server != nil {
		s.server.Stop()
	}
}

// down ends every server of ours.
func (b *bench) down() {
	for _, s := range b.stacks {
		s.stop()
	}
}

// lastWords is how long a server of ours may take to end after contact with it was
// lost: its connections break before its end is known.
var lastWords = 3 * time.Second

// crashedSince says how a server of ours ended, if it did; it is to be asked after
// contact was lost.
func (s *stack) crashedSince(ctx context.Context) error {
	if s.server == nil {
		return nil
	}
	return s.server.CrashedWithin(ctx, lastWords)
}

// whileUp ends with ctx and with the server, if it is ours: nothing is asked of one
// that is gone.
func (s *stack) whileUp(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if s.server != nil {
		go func() {
			select {
			case <-s.server.Exited():
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// embedSeconds is how long one request for texts takes: the least of several,
// since what disturbs a request only ever makes it longer.
func (s *stack) embedSeconds(ctx context.Context, texts []string, times int) (float64, error) {
	r, err := s.driver.Prepare(texts)
	if err != nil {
		return 0, err
	}
	best := 0.0
	for i := range times {
		start := time.Now()
		if reply := s.driver.Send(ctx, r); reply.Outcome != driver.OK {
			return 0, &driver.Failure{Reply: reply}
		}
		if took := time.Since(start).Seconds(); i == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

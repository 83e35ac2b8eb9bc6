package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/process"
)

// stack is a service under test while the run goes on.
type stack struct {
	Stack
	record  record.Stack
	driver  driver.Driver
	life    context.Context    // of its server, if that is ours: the run's
	release context.CancelFunc // of the server's life
	server  *process.Server    // nil: not ours
	gpus    *sample.GPUs       // of this machine
	source  sample.Source      // of its resource figures; nil: there is none
	speed   speed
	aside   bool // it computes something else: its figures are not compared
	// refused holds the points that it turned down or did not manage: there is no sense
	// in asking again.
	refused map[Point]bool
	// largest is the largest batch that it completed, and took its time a request.
	largest int
	took    float64
}

// up finds the services that run already and then starts ours.
func (b *bench) up(ctx context.Context) {
	for _, configured := range b.Stacks {
		b.stacks = append(b.stacks, &stack{Stack: configured, life: ctx, gpus: b.gpus, refused: map[Point]bool{}, record: record.Stack{
			Name: configured.Name, Dialect: configured.Dialect, Policy: configured.Policy, Info: configured.Info,
		}})
	}
	b.contact(ctx)
	for _, s := range b.stacks {
		switch {
		case s.Unable != nil:
			s.record.Error = s.Unable.Error()
			b.warn(record.Warning{Stack: s.Name, Code: "stack_unable", Text: s.record.Error, Advice: "The other stacks are measured."})
		case s.Launch != nil:
			b.launch(ctx, s)
		}
	}
	if ctx.Err() != nil {
		for _, s := range b.alive(0) {
			if s.driver == nil {
				s.record.Error = "not reached before the run was ended"
			}
		}
	}
}

// contact finds the services that run already, all at once: those that keep silent
// are waited for together.
func (b *bench) contact(ctx context.Context) {
	failures := make([]error, len(b.stacks))
	var all sync.WaitGroup
	for i, s := range b.stacks {
		if s.Launch != nil || s.Unable != nil {
			continue
		}
		b.Watcher.Stage("contacting " + s.Name)
		all.Go(func() {
			failures[i] = b.within(ctx, func(ctx context.Context) error {
				if err := s.start(ctx); err != nil {
					return err
				}
				return s.settle(ctx, b.Data.Texts[0])
			})
		})
	}
	all.Wait()
	for i, err := range failures {
		if err != nil {
			b.lose(ctx, b.stacks[i], err)
		}
	}
}

// launch starts a server of ours. One follows the other, so that none is ready late
// because another was starting.
func (b *bench) launch(ctx context.Context, s *stack) {
	if ctx.Err() != nil {
		return
	}
	b.Watcher.Stage("starting " + s.Name)
	began := time.Now()
	err := s.start(ctx)
	if !s.cheap() {
		b.startup += time.Since(began)
	}
	if err == nil {
		err = b.first(ctx, s, func(ctx context.Context) error { return s.settle(ctx, b.Data.Texts[0]) })
	}
	if err != nil {
		b.lose(ctx, s, err)
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
		if err := s.run(ctx); err != nil {
			return err
		}
		url = s.server.URL
		s.record.Command, s.record.ReadySeconds = s.server.Command, s.server.ReadySeconds
	}
	s.record.URL = url
	s.watch()
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

// run starts the server. The end of ctx kills it until it is ready; later only the
// run's does, of which ctx may be a part.
func (s *stack) run(ctx context.Context) (err error) {
	life, kill := context.WithCancel(s.life)
	ready := context.AfterFunc(ctx, kill)
	s.server, err = process.Start(life, *s.Launch)
	ready()
	s.release = kill
	return err
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
func (s *stack) watch() {
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

// restart gives a stack a fresh process.
func (b *bench) restart(ctx context.Context, s *stack) error {
	ready := s.record.ReadySeconds
	s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	s.record.ReadySeconds = ready // the first start's, like for every stack
	return b.within(ctx, func(ctx context.Context) error { return s.settle(ctx, b.Data.Texts[0]) })
}

func (s *stack) stop() {
	if s.driver != nil {
		s.driver.Close()
	}
	if s.server != nil {
		s.server.Stop()
	}
	if s.release != nil {
		s.release()
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

// whileUp ends with ctx, when the limit is reached, and with the server, if it is
// ours: nothing is asked of one that is gone. It is no deadline: what is cut off did
// not run into a time limit of its own.
func (s *stack) whileUp(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(limit, cancel)
	context.AfterFunc(ctx, func() { timer.Stop() })
	if s.server != nil {
		exited := s.server.Exited() // of this server: another may have its place by then
		go func() {
			select {
			case <-exited:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

// embedSeconds is how long one request for texts takes: the least of two, since what
// disturbs a request only ever makes it longer. A long one is not asked for again.
func (s *stack) embedSeconds(ctx context.Context, texts []string) (float64, error) {
	const times, long = 2, 1.0
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
		if best >= long {
			break
		}
	}
	return best, nil
}

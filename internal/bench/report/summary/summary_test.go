package summary

import (
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/export"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// TestFiguresByHand computes every column of the table on paper.
func TestFiguresByHand(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("s")
	// One slice of 2 s, batches of 4 texts from 2 clients. Of six requests four
	// count: one failed, one finished 0.1 s after the slice's end.
	c := record.Cell{Stack: "s", Sweep: record.SweepConcurrency, BatchSize: 4, Concurrency: 2, Seconds: 2}
	for _, q := range []struct {
		sent, finished int64
		outcome        string
	}{
		{0, 500_000, "ok"}, {0, 600_000, "ok"}, {500_000, 1_500_000, "ok"}, {600_000, 700_000, "5xx"}, {1_500_000, 2_000_000, "ok"}, {1_500_000, 2_100_000, "ok"},
	} {
		c.Requests.Intended = append(c.Requests.Intended, q.sent)
		c.Requests.Sent = append(c.Requests.Sent, q.sent)
		c.Requests.Finished = append(c.Requests.Finished, q.finished)
		c.Requests.Texts = append(c.Requests.Texts, 4)
		c.Requests.Outcome = append(c.Requests.Outcome, q.outcome)
	}
	// Between the samples at 0.5 s and 2 s: 2 CPU-seconds, and the replies at 0.6,
	// 1.5 and 2.0 s, that is 12 texts (the one at exactly 0.5 s came before).
	c.Samples = record.Samples{At: []int64{500_000, 1_000_000, 2_000_000}, CPU: []float64{10, 10.5, 12}, RSS: []int64{120e6, 180e6, 140e6}}
	h.Cells = append(h.Cells, c)
	// Everything at once: 10 texts in 1 s.
	h.Cell("s", record.SweepOffline, 10, 1, 1, 10)
	// 130 single texts of 20 ms each: just enough for p95.
	h.Cell("s", record.SweepOnline, 1, 8, 20, 130)

	row := summarize(h.Results).Rows[0]
	for _, f := range []struct {
		name      string
		got, want float64
	}{
		{"throughput: 16 texts in 2 s", row.Throughput.Value, 8},
		{"batch efficiency: 8 of 10 embeddings/s", row.BatchEfficiency.Value, 80},
		{"p95", row.Latency.Value, 20},
		{"peak memory: the largest sample", row.PeakMemory.Value, 180},
		{"memory: 80 MB more than idle for 8 in flight", row.MemoryPer1k.Value, 10_000},
		{"12 texts in 2 CPU-seconds", row.PerCPUSecond.Value, 6},
	} {
		if !near(f.got, f.want) {
			t.Errorf("%s: got %v, want %v", f.name, f.got, f.want)
		}
	}
	h.Cells[0].PeakBytes = 260e6 // noted by the system between two samples
	if got := summarize(h.Results).Rows[0].MemoryPer1k.Value; !near(got, 20_000) {
		t.Errorf("160 MB more than idle for 8 in flight: got %v MB a thousand, want 20,000", got)
	}
}

// TestGoldenTable: medians 40 and 20 with their ranges, 4 of 5 batches' ceiling.
func TestGoldenTable(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("paceline/vllm", "tei", "broken", "other")
	h.Manifest.Model = record.Model{Name: "tiny", Dim: 4, DType: "float32"}
	h.Manifest.Data = record.Data{Source: "synthetic", Texts: 1000}
	h.Manifest.Machine = record.Machine{CPU: "Some CPU", Cores: 2, Threads: 2}
	h.Stacks[0].Policy, h.Stacks[0].Door = "continuous", "/embed, JSON"
	h.Stacks[2].Error = "exit status 1:\nno such model"
	h.Stacks[3].Agreement = record.Agreement{Texts: 8, MinCosine: 0.61, Reason: "it takes the first token, the reference the mean"}
	for _, s := range []struct {
		name            string
		served, ceiling []int
		latency         float64
		online          int
	}{
		{"paceline/vllm", []int{36, 40, 44, 40, 40}, []int{50, 50, 50, 50, 50}, 12.5, 40},
		{"tei", []int{20, 20, 20, 24, 16}, []int{40, 40, 40, 40, 40}, 25, 14},
		{"other", []int{4000}, []int{4000}, 1, 1000},
	} {
		h.Cell(s.name, record.SweepConcurrency, 4, 8, 50, s.served...)
		h.Cell(s.name, record.SweepOffline, 10, 1, 50, s.ceiling...)
		h.Cell(s.name, record.SweepOnline, 1, 8, s.latency, s.online, s.online, s.online, s.online, s.online)
	}

	var text strings.Builder
	if err := summarize(h.Results).WriteText(&text, table.Terminal{}); err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(text.String(), "\nFindings")
	// 40 of 50 and 20 of 40 embeddings/s are 80 and 50 %; the ratios' intervals leave
	// out the two smallest and largest of 25 quotients: 36/50 to 44/50, 16/40 to 24/40. tei has 5*14 = 70 requests,
	// which carry p90 (64) and not p95 (130).
	want := `tiny (float32, 4 dimensions)
synthetic (1,000 texts)
Some CPU (2 cores, 2 threads a server)

Stack            Throughput             p95 latency    Batch eff.      Memory  Max batch   Per CPU-s   Agreement
               embeddings/s  ms, 1 text × 8 clients  % of ceiling  MB/1k emb.      texts  embeddings  min cosine
────────────────────────────────────────────────────────────────────────────────────────────────────────────────
paceline/vllm          40.0                    12.5          80.0           –         64           –     0.99999
continuous        36.0–44.0               12.5–12.5     72.0–88.0
tei                    20.0            p90 25.0 [1]          50.0           –         64           –     0.99999
                  16.0–24.0               25.0–25.0     40.0–60.0
other          not comparable: it takes the first token, the reference the mean
broken         failed: exit status 1: no such model

[1] latency: 70 requests carry p90, p95 needs 130
Medians over 5 repeats or more, with their range, which covers the true median with 94 %.
Throughput is the best of the concurrency sweep: all: 4 texts × 8 clients.
Driven through: paceline/vllm: /embed, JSON.
`
	if table != want {
		t.Errorf("got:\n%s\nwant:\n%s", table, want)
	}
}

// TestInvalidIsMarkedEverywhere: with all repeats doubted the figure is shown with
// its mark and the advice, and takes no part in any comparison; with one doubted,
// it is left out and that is said.
func TestInvalidIsMarkedEverywhere(t *testing.T) {
	t.Parallel()
	const advice = "The client was busier than the server. Run it on another machine."
	h := reporttest.NewHand("a", "b")
	h.Cell("a", record.SweepConcurrency, 4, 8, 50, 400, 400, 400, 400, 400)
	for i := range h.Cells {
		h.Cells[i].Invalid = advice
	}
	h.Cell("b", record.SweepConcurrency, 4, 8, 50, 40, 40, 40, 40, 4000)
	h.Last().Invalid = advice
	s := summarize(h.Results)
	if a := s.Rows[0].Throughput; a.Doubt != advice || a.Value != 400 || a.Sound() {
		t.Errorf("all repeats invalid: %+v", a)
	}
	if b := s.Rows[1].Throughput; b.Doubt != "" || b.Hi != 40 || !strings.Contains(b.Note, "1 of 5 repeats left out") {
		t.Errorf("one repeat invalid: %+v", b)
	}
	if text := s.Leaders[0].Text; !strings.Contains(text, "Only b was measured") {
		t.Errorf("an invalid figure is ranked: %s", text)
	}
	var markdown strings.Builder
	if err := s.WriteMarkdown(&markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"!400 [1]", "[1] throughput: not valid. " + advice, "a: left out: " + advice} {
		if !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is not in\n%s", want, markdown.String())
		}
	}
	var stack strings.Builder
	if err := export.WriteStack(figures.NewIndex(h.Results), &h.Stacks[0], &stack); err != nil || !strings.Contains(stack.String(), `"invalid": "`+advice) {
		t.Errorf("%v: the stack's JSON does not say so: %s", err, stack.String())
	}
}

func TestNarrowTerminalGetsBlocks(t *testing.T) {
	t.Parallel()
	s := summarize(reporttest.Demo(2))
	var wide, narrow, painted strings.Builder
	for _, c := range []struct {
		b *strings.Builder
		o table.Terminal
	}{{&wide, table.Terminal{Width: 200}}, {&narrow, table.Terminal{Width: 60}}, {&painted, table.Terminal{Width: 200, Color: true}}} {
		if err := s.WriteText(c.b, c.o); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(narrow.String()[strings.Index(narrow.String(), "\n\n"):]) {
		if n := len([]rune(strings.TrimRight(line, " \n"))); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Contains(wide.String(), "\x1b") || !strings.Contains(painted.String(), "\x1b[1mStack") {
		t.Error("colours come without being asked for, or not when they are")
	}
}

// TestAboveCeiling: an efficiency that cannot be is marked as not valid, never
// ranked, and explained by what the repeats bear out, once for all stacks that it
// holds of.
func TestAboveCeiling(t *testing.T) {
	t.Parallel()
	for want, repeats := range map[string]int{"so few repeats": 2, "the ceiling is too low": 5} {
		h := reporttest.NewHand("a", "b")
		for _, stack := range []string{"a", "b"} {
			h.Cell(stack, record.SweepConcurrency, 4, 8, 50, slices.Repeat([]int{40}, repeats)...)
			h.Cell(stack, record.SweepOffline, 10, 1, 1, slices.Repeat([]int{20}, repeats)...)
		}
		var text strings.Builder
		if err := summarize(h.Results).WriteMarkdown(&text); err != nil {
			t.Fatal(err)
		}
		if s := text.String(); strings.Count(s, "!200 [1]") != 2 || strings.Count(s, "[1] batch efficiency: not valid. above 100 %") != 1 || !strings.Contains(s, want) {
			t.Errorf("%d repeats:\n%s", repeats, s)
		}
	}
}

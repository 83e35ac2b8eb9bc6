package page

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// browserFlags keep Chromium to itself: no window, no network, no settings.
var browserFlags = []string{
	"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=4000",
}

// patience bounds a run of Chromium: on a busy machine it takes its time.
const patience = 10 * time.Minute

// browse runs Chromium on a page and returns its document as the scripts left it,
// and what it said.
func browse(t *testing.T, page string, flags ...string) (document, log string) {
	t.Helper()
	browser := os.Getenv("PACELINE_CHROMIUM") // test/browser/chromium.sh finds or fetches one
	if browser == "" {
		t.Skip("PACELINE_CHROMIUM names no browser: the page is not opened")
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	profile := t.TempDir()
	args := append(append([]string{"--user-data-dir=" + profile, "--dump-dom"}, browserFlags...), append(flags, page)...)
	cmd := exec.CommandContext(ctx, browser, args...)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return stdout.String(), stderr.String()
}

// probe is added to the page: it does what a reader does and notes what happened
// in the document, where the test finds it. It waits for frames, never for a time.
const probe = `<script>
(() => {
  const note = (name, value) => { document.body.dataset[name] = value; };
  const all = query => [...document.querySelectorAll(query)], one = query => document.querySelector(query);
  const names = () => all("#summary tbody th").map(e => e.firstChild.textContent).join(" ");
  const inked = c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; for (let i = 3; i < d.length; i += 4) if (d[i]) return true; return false; };
  const press = (query, key) => one(query).dispatchEvent(new KeyboardEvent("keydown", { key }));
  const mouse = (kind, x) => { // at a share of the width of a chart
    const e = one("#chart-batch .u-over"), r = e.getBoundingClientRect();
    e.dispatchEvent(new MouseEvent(kind, { bubbles: true, button: 0, movementX: 1, clientX: r.left + x * r.width, clientY: r.top + r.height / 2 }));
  };
  const read = () => {
    note("ready", document.documentElement.dataset.ready);
    note("charts", all(".plot canvas").length);
    note("drawn", all(".plot canvas").filter(inked).length);
    one('#summary [data-column="2"]').click();
    note("falling", names());
    one('#summary [data-column="2"]').click();
    note("rising", names());
    const before = getComputedStyle(document.body).backgroundColor;
    one("#theme").click();
    note("theme", before + " " + getComputedStyle(document.body).backgroundColor);
    press("#chart-batch .plot", "ArrowRight");
    note("tip", one("#chart-batch .tip").textContent);
    press("#chart-batch .plot", "Enter");
    note("under", all("#records tbody tr").length);
    const fill = CanvasRenderingContext2D.prototype.fillText, texts = [];
    CanvasRenderingContext2D.prototype.fillText = function(text, ...at) { texts.push(text); fill.call(this, text, ...at); };
    press("#chart-memory .plot", "l");
    setTimeout(() => note("ticks", texts.slice(texts.lastIndexOf("MB of the server at its peak") + 1).findIndex(t => !/^[\d,]+$/.test(t)) > 2));
    press("#chart-batch .plot", "l");
    note("log", one("#chart-batch .log").getAttribute("aria-pressed") + all("#chart-batch canvas").length);
    one("#summary button.from").click();
    note("from", all("#records tbody tr").length);
    one("#records-all").click();
    note("records", all("#records tbody tr").length + " of " + one("#records-of").textContent);
    one("#chart-rate .views button").click();
    one("#timeline .measure").value = "mb";
    one("#timeline .measure").dispatchEvent(new Event("change"));
    one("#timeline .point").value = "";
    one("#timeline .point").dispatchEvent(new Event("change"));
    one("#legend button").click();
    note("pressed", one("#legend button").getAttribute("aria-pressed"));
    note("again", all(".plot canvas").length);
    note("wide", document.documentElement.scrollWidth > innerWidth);
    note("done", innerWidth);
    setTimeout(() => { // the charts have their size by then
      mouse("mousemove", 0.99);
      note("hover", one("#chart-batch .tip").textContent);
      mouse("mousedown", 0.3);
      mouse("mousemove", 0.6);
      note("dragged", Math.round(10 * one("#chart-batch .u-select").offsetWidth / one("#chart-batch .u-over").offsetWidth));
    });
  };
  setTimeout(read); // the charts are drawn in the microtasks before
})();
</script></body>`

// TestPageInBrowser opens the page, sorts, switches, reads a chart by keyboard and mouse and
// asks where a figure comes from, on a desk and on a phone.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	r := reporttest.Whole(5)
	x := figures.NewIndex(r)
	var rising, falling []string
	for _, s := range x.Rank(true, findings.ByLatency.Figure) {
		rising, falling = append(rising, s.Stack), append([]string{s.Stack}, falling...)
	}
	page := written(t, x, probe)
	const out = " fastapi vllm" // not ranked, so always last
	for _, size := range []string{"1280,2000", "360,2000"} {
		document, log := browse(t, page, "--window-size="+size)
		for _, want := range []string{
			`data-ready="true"`, `data-charts="9"`, `data-drawn="9"`, `data-log="true1"`, `data-pressed="false"`, `data-wide="false"`, `data-again="9"`,
			`data-falling="` + strings.Join(falling, " ") + out + `"`, `data-rising="` + strings.Join(rising, " ") + out + `"`,
			`data-theme="rgb(255, 255, 255) rgb(18, 22, 31)"`,
			`data-ticks="true"`, `data-tip="1 text × 1 client`, `data-hover="128 texts × 1 client`, `data-dragged="3"`, `data-under="25"`, `data-from="5"`, fmt.Sprintf(`data-records="100 of All %d cells."`, len(r.Cells)),
		} {
			if !strings.Contains(document, want) {
				t.Errorf("%s: %s is not in %s", size, want, regexp.MustCompile(`<body[^>]*>`).FindString(document))
			}
		}
		if i := strings.Index(log, "CONSOLE"); i >= 0 {
			t.Errorf("%s: the console says %s", size, log[i:])
		}
	}
}

// written saves the page, with a script at its end, and returns its address.
func written(t *testing.T, x *figures.Index, script string) string {
	t.Helper()
	var html bytes.Buffer
	if err := Write(x, &html); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.html")
	page := html.Bytes()
	if script != "" {
		page = bytes.Replace(page, []byte("</body>"), []byte(script), 1)
	}
	if err := os.WriteFile(path, page, 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// screenshots is where pictures of the page are kept, among the build's outputs.
const screenshots = "../../../../build/screenshots"

// TestScreenshots keeps pictures of the page for people to look at: on a desk, on a
// phone, in the dark and on paper.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	page := written(t, figures.NewIndex(reporttest.Whole(5)), "")
	dark := written(t, figures.NewIndex(reporttest.Whole(5)), `<script>document.getElementById("theme").click()</script></body>`)
	dir, err := filepath.Abs(screenshots)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, shot := range []struct{ name, page, flag, size string }{
		{"report-desk.png", page, "--screenshot=", "1280,6200"},
		{"report-phone.png", page, "--screenshot=", "360,9000"},
		{"report-dark.png", dark, "--screenshot=", "1280,6200"},
		{"report.pdf", page, "--print-to-pdf=", "1280,2000"},
	} {
		path := filepath.Join(dir, shot.name)
		os.Remove(path)
		browse(t, shot.page, shot.flag+path, "--window-size="+shot.size)
		if info, err := os.Stat(path); err != nil || info.Size() < 50_000 {
			t.Errorf("%s is not a picture of the page: %v, %v", shot.name, info, err)
		}
	}
}

// TestConsoleIsHeard is the control: an error in a page reaches the log.
func TestConsoleIsHeard(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "broken.html")
	if err := os.WriteFile(page, []byte(`<script>nothing.here()</script>`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, log := browse(t, "file://"+page); !strings.Contains(log, "CONSOLE") {
		t.Error("an error on the console goes unheard")
	}
}

// TestPageNeedsNoNetwork: nothing in the page points outside, and its policy
// forbids what would.
func TestPageNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	r := reporttest.Demo(1)
	r.Stacks[0].Error = `</script><script>alert("x")</script>` // a hostile log tail
	var b strings.Builder
	if err := Write(figures.NewIndex(r), &b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	if !strings.Contains(html, "default-src 'none'") {
		t.Error("the page has no policy against loading")
	}
	if found := regexp.MustCompile(`(?i)(src|href)\s*=\s*["'](https?:)?//`).FindString(html); found != "" {
		t.Errorf("the page points outside: %s", found)
	}
	if strings.Contains(html, `<script>alert`) {
		t.Error("a stack's log became a script")
	}
}

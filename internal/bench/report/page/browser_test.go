package page

import (
	"bytes"
	"context"
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

// browse runs Chromium on a page and returns its document as the scripts left it,
// and what it said.
func browse(t *testing.T, page string, flags ...string) (document, log string) {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium on this machine: the page is not opened")
	}
	ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
	defer stop()
	profile := t.TempDir()
	args := append(append([]string{"--user-data-dir=" + profile, "--dump-dom"}, browserFlags...), append(flags, "file://"+page)...)
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
// in the document, where the test finds it.
const probe = `<script>
(() => {
  const note = (name, value) => { document.body.dataset[name] = value; };
  const names = () => [...document.querySelectorAll("#summary tbody th")].map(e => e.firstChild.textContent).join(" ");
  note("ready", document.documentElement.dataset.ready);
  note("charts", document.querySelectorAll(".plot canvas").length);
  const inked = c => { const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; for (let i = 3; i < d.length; i += 4) if (d[i]) return true; return false; };
  setTimeout(() => {
    note("drawn", [...document.querySelectorAll(".plot canvas")].filter(inked).length);
    document.querySelector('#summary [data-column="2"]').click();
    note("falling", names());
    document.querySelector('#summary [data-column="2"]').click();
    note("rising", names());
    const before = getComputedStyle(document.body).backgroundColor;
    document.getElementById("theme").click();
    note("theme", before + " " + getComputedStyle(document.body).backgroundColor);
    const plot = document.querySelector("#chart-batch .plot");
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    note("tip", document.querySelector("#chart-batch .tip").textContent);
    document.querySelector("#chart-batch .log").click();
    note("log", document.querySelectorAll("#chart-batch canvas").length);
    document.querySelector("#legend button").click();
    note("pressed", document.querySelector("#legend button").getAttribute("aria-pressed"));
    note("wide", document.documentElement.scrollWidth > innerWidth);
    note("done", "yes");
  }, 500);
})();
</script></body>`

// TestPageInBrowser opens the page, sorts, switches, reads a chart by keyboard,
// on a desk and on a phone.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), reporttest.Demo(3)
	var rising, falling []string
	for _, s := range figures.NewIndex(r).Rank(true, findings.ByLatency.Figure) {
		rising, falling = append(rising, s.Stack), append([]string{s.Stack}, falling...)
	}
	var html bytes.Buffer
	if err := Write(figures.NewIndex(r), &html); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(dir, "probed.html")
	if err := os.WriteFile(page, bytes.Replace(html.Bytes(), []byte("</body>"), []byte(probe), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1280,2000", "500,2000"} {
		document, log := browse(t, page, "--window-size="+size)
		for _, want := range []string{
			`data-ready="true"`, `data-charts="6"`, `data-drawn="6"`, `data-done="yes"`, `data-log="1"`, `data-pressed="false"`, `data-wide="false"`,
			`data-falling="` + strings.Join(falling, " ") + `"`, `data-rising="` + strings.Join(rising, " ") + `"`,
			`data-theme="rgb(255, 255, 255) rgb(18, 22, 31)"`,
			`data-tip="1 texts a request`,
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

// TestConsoleIsHeard is the control: an error in a page reaches the log.
func TestConsoleIsHeard(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "broken.html")
	if err := os.WriteFile(page, []byte(`<script>nothing.here()</script>`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, log := browse(t, page); !strings.Contains(log, "CONSOLE") {
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

package paceline_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/paceline/paceline/"

// forbidden lists the arrows that must never be drawn between packages. A name
// covers the packages below it. What may import what else is told by reading.
var forbidden = []struct{ from, to, why string }{
	{"internal/kernel", "internal", "arithmetic on slices is the ground floor"},
	{"internal/model", "internal", "a family is data: it knows no engine and no kernel"},
	{"internal/engine", "internal/token", "an engine sees token ids, never text"},
	{"internal/engine", "internal/pipeline", "an engine sees token ids, never text"},
	{"internal/engine", "internal/batch", "who forms a batch is not the engine's business"},
	{"internal/engine", "internal/serve", "an engine knows no wire"},
	{"internal/engine", "internal/store", "weights reach an engine as model.Tensors, wherever they come from"},
	{"internal/token", "internal", "a tokenizer stands alone"},
	{"internal/similarity", "internal", "vectors are vectors, whoever made them"},
	{"internal/decimal", "internal", "numbers are numbers, whoever reads them"},
	{"internal/quantize", "internal", "numbers are numbers, whoever made them"},
	{"internal/resident", "internal", "what is kept in memory, and why it is large, is its user's business"},
	{"internal/pipeline", "internal/engine", "a pipeline declares the engine it needs"},
	{"internal/pipeline", "internal/batch", "a text's way to ids does not depend on who travels with it"},
	{"internal/pipeline", "internal/serve", "a pipeline knows no wire"},
	{"internal/pipeline", "internal/store", "a pipeline reads its files from an fs.FS"},
	{"internal/encode", "internal/engine", "encoding declares the engine it needs"},
	{"internal/encode", "internal/batch", "texts of one caller wait for nobody"},
	{"internal/encode", "internal/serve", "encoding knows no wire"},
	{"internal/encode", "internal/store", "encoding is handed a model, wherever it comes from"},
	{"internal/bulk", "internal/engine", "files are handed an encoder"},
	{"internal/bulk", "internal/assemble", "files are handed an encoder"},
	{"internal/bulk", "internal/store", "files are handed what names the model"},
	{"internal/bulk", "internal/batch", "files wait for nobody: they are not requests"},
	{"internal/bulk", "internal/serve", "files have no wire"},
	{"internal/batch", "internal/engine", "a policy declares the Runner it needs"},
	{"internal/batch", "internal/serve", "a queue knows no wire"},
	{"internal/batch", "internal/pipeline", "a queue sees token ids, never text"},
	{"internal/serve", "internal/engine", "only cmd and the library's face know which engine runs"},
	{"internal/serve", "internal/assemble", "only cmd and the library's face know which engine runs"},
	{"internal/serve", "internal/bench", "the server does not know that it is measured"},
	{"internal/serve/dialect", "internal/batch", "a dialect converts; admission is serve's"},
	{"internal/serve/dialect", "github.com/prometheus", "a dialect converts; metrics are serve's"},
	{"internal/bench", "internal/serve", "the benchmark knows a service by its wire alone"},
	{"internal/bench", "internal/batch", "the benchmark knows a service by its wire alone"},
	{"internal/bench", "internal/engine", "the benchmark knows a service by its wire alone"},
	{"internal/bench", "internal/pipeline", "the benchmark knows a service by its wire alone"},
	{"internal/bench", "internal/assemble", "the benchmark knows a service by its wire alone"},
	{"internal/bench/stat", "internal", "statistics are pure functions of numbers"},
	{"internal/bench/shape", "internal", "a request's size does not depend on who sends it"},
	{"internal/bench/goodput", "internal/bench/load", "a search proposes rates; who offers them is the bench's business"},
	{"internal/bench/goodput", "internal/bench/driver", "a search proposes rates; who offers them is the bench's business"},
	{"internal/bench/quality", "internal/bench/driver", "vectors are judged wherever they came from"},
	{"internal/bench/agent", "internal/bench/driver", "an agent watches a server and never talks to it"},
	{"internal/bench/report", "internal/bench/load", "a report reads records only"},
	{"internal/bench/report", "internal/bench/driver", "a report reads records only"},
	{"internal/bench/report", "internal/bench/sample", "a report reads records only"},
	{"internal/store", "internal/engine", "a store knows files, not what runs them"},
	{"internal/store", "internal/pipeline", "a store knows files, not what they mean"},
	{"internal/dataset", "internal/bench", "texts are texts, whoever reads them"},
	{"internal/process", "internal", "a process is supervised alike, whatever it serves"},
	{"internal/kserve/tensor", "internal", "server and benchmark share the tensors' form and nothing else"},
	{"internal/modelrepo", "internal/serve", "a repository is read without a server"},
	{"internal/bench", "internal/modelrepo", "the benchmark knows a service by its wire alone"},
	{"internal/bench", "internal/stack", "a stack reaches the benchmark as a command and an address"},
	{"internal/stack", "internal/bench", "a stack runs whether or not it is measured"},
	{"internal/stack", "internal/serve", "a real stack is not ours"},
	{"internal/stack", "internal/engine", "a real stack is not ours"},
	{"internal/stack", "internal/store", "a stack is handed a folder, wherever it comes from"},
	{"stacks", "internal", "the stacks' files stand alone"},
}

// TestImportDirections holds the walls of docs/architecture.md, over every
// platform's non-test files that this one builds.
func TestImportDirections(t *testing.T) {
	t.Parallel()
	imports := packageImports(t)
	if len(imports) < 10 {
		t.Fatalf("go list found %d packages: the check would see nothing", len(imports))
	}
	for pkg, list := range imports {
		for _, imported := range list {
			for _, rule := range forbidden {
				if crosses(pkg, imported, rule.from, rule.to) {
					t.Errorf("%s imports %s: %s", pkg, imported, rule.why)
				}
			}
		}
	}
}

// TestCrossesSeesViolations proves that the check above can fail.
func TestCrossesSeesViolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pkg, imported, from, to string
		want                    bool
	}{
		{module + "internal/batch", module + "internal/engine/cpu", "internal/batch", "internal/engine", true},
		{module + "internal/kernel", module + "internal/model", "internal/kernel", "internal", true},
		{module + "internal/kernel/gen", module + "internal/kernel", "internal/kernel", "internal", false},
		{module + "internal/batcher", module + "internal/engine/cpu", "internal/batch", "internal/engine", false},
		{module + "internal/serve/dialect/tei", "github.com/prometheus/client_golang/prometheus", "internal/serve/dialect", "github.com/prometheus", true},
	} {
		if got := crosses(c.pkg, c.imported, c.from, c.to); got != c.want {
			t.Errorf("crosses(%s, %s, %s -> %s) = %v", c.pkg, c.imported, c.from, c.to, got)
		}
	}
}

func crosses(pkg, imported, from, to string) bool {
	if !strings.HasPrefix(to, "github.com/") {
		to = module + to
	}
	from = module + from
	return within(pkg, from) && within(imported, to) && !within(imported, from)
}

func within(pkg, folder string) bool {
	return pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

func packageImports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			imports[fields[0]] = fields[1:]
		}
	}
	return imports
}

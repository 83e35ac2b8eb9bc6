package stack

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// whole is a definition that uses everything there is.
const whole = `title = "Small"

[needs]
systems = ["linux/amd64"]
instructions = ["avx2"]
python = { from = "3.9", below = "3.12" }
memory = "2 GB"
disk = "1 GiB"
program = { name = "router", get = "build it" }

[[install]]
requirements = "requirements.txt"
options = ["--no-deps"]
device = "cpu"

[[server]]
name = "small"
dialect = "poc"
command = ["{python}", "{program}", "--port", "{port}", "--grpc", "{port.grpc}", "{model}"]
port = 8000
ports = { grpc = 8001 }
health = "/health"

[server.environment]
THREADS = "{threads}"

[[server]]
name = "small-other"
title = "Another way"
dialect = "openai"
model = "{model_name}"
policy = "direct"
command = ["x{port}"]
port = 9
health = "/"
ready = "90s"
grace = "1s"
`

func TestParse(t *testing.T) {
	t.Parallel()
	d, err := Parse("small", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if d.Needs.Memory != 2e9 || d.Needs.Disk != 1<<30 {
		t.Errorf("sizes %d and %d", d.Needs.Memory, d.Needs.Disk)
	}
	first, second := d.Servers[0], d.Servers[1]
	if first.Title != "Small" || time.Duration(first.Ready) != 2*time.Minute || time.Duration(first.Grace) != 10*time.Second {
		t.Errorf("what was left out: %+v", first)
	}
	if second.Title != "Another way" || time.Duration(second.Ready) != 90*time.Second || time.Duration(second.Grace) != time.Second {
		t.Errorf("what was said: %+v", second)
	}
}

// TestParseRefuses: each mistake in turn is named, with its line where a decoder finds it.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":      {`title = "Small"`, "title = \"Small\"\ncolour = \"red\"", `small/stack.toml:2: unknown key "colour"`},
		"unknown deep key": {`port = 9`, "porto = 9", `:34: unknown key "server.porto"`},
		"wrong type":       {`port = 8000`, `port = "8000"`, "small/stack.toml:20:"},
		"no TOML":          {`[needs]`, `[needs`, "small/stack.toml:3:"},
		"size":             {`"2 GB"`, `"much"`, `"much" is no size`},
		"duration":         {`"90s"`, `"soon"`, `"soon" is no duration`},
		"negative":         {`"90s"`, `"-90s"`, `"-90s" is no duration`},
		"no title":         {`title = "Small"`, ``, "title is missing"},
		"system":           {`"linux/amd64"`, `"linux"`, "such as linux/amd64"},
		"instructions":     {`"avx2"`, `"avx3"`, `unknown name "avx3": one of avx2, avx512f`},
		"python":           {`"3.12"`, `"4"`, `below "4"`},
		"program":          {`get = "build it"`, `get = ""`, "what gets it"},
		"requirements":     {`"requirements.txt"`, `"../requirements.txt"`, "a file of the stack's folder"},
		"device":           {`"cpu"`, `"tpu"`, `device "tpu"`},
		"needs python":     {`python = {`, `# {`, "needs.python is missing"},
		"first name":       {`name = "small"`, `name = "tiny"`, "its stack's name, small"},
		"second name":      {`name = "small-other"`, `name = "other"`, "want small-SOMETHING"},
		"path as a name":   {`name = "small-other"`, `name = "small/other"`, "letters a-z"},
		"dialect":          {`dialect = "openai"`, ``, "dialect is missing"},
		"command":          {`command = ["x{port}"]`, ``, "command is missing"},
		"health":           {`health = "/health"`, `health = "health"`, `health "health": want a path`},
		"port":             {`port = 9`, `port = 70000`, "port 70000"},
		"further port":     {`grpc = 8001`, `grpc = 0`, "grpc = 0"},
		"mark":             {`"{threads}"`, `"{thread}"`, "unknown mark {thread}"},
		"mark of a model":  {`"{model_name}"`, `"{modelname}"`, "unknown mark {modelname}"},
		"no port":          {`"x{port}"`, `"x"`, "holds {port}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(whole, c.old, c.new, 1)
			if text == whole {
				t.Fatalf("%q is not in the definition: the test shows nothing", c.old)
			}
			if _, err := Parse("small", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: want %q", err, c.want)
			}
		})
	}
	if _, err := Parse("Small", []byte(whole)); err == nil {
		t.Error("a folder's name with a capital was taken")
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"small/stack.toml":       {Data: []byte(whole)},
		"small/requirements.txt": {Data: []byte("# nothing\nTorch_Vision==1\nfast.api[all]>=2\n")},
		"folder/README.md":       {Data: []byte("no stack")},
	}
	list, err := ReadAll(files)
	if err != nil || len(list) != 1 || list[0].Name != "small" {
		t.Fatalf("%v, %v", list, err)
	}
	if asked := list[0].asked(); !slices.Equal(asked, []string{"torch-vision", "fast-api"}) {
		t.Errorf("asked for %q", asked)
	}
	delete(files, "small/requirements.txt")
	if _, err := ReadAll(files); err == nil || !strings.Contains(err.Error(), "requirements.txt") {
		t.Errorf("%v: want the missing file's name", err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	d, err := Parse("small", []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if _, s, err := Find([]*Definition{d}, "small-other"); err != nil || s.Title != "Another way" {
		t.Errorf("%v, %v", s, err)
	}
	if _, _, err := Find([]*Definition{d}, "large"); err == nil || !strings.Contains(err.Error(), "small, small-other") {
		t.Errorf("%v: want the names there are", err)
	}
}

// FuzzParse: users write such files too, and none of them may crash us.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("title = 1"))
	f.Add([]byte("[[server]]\nname = \"small\"\n[[server]]\n[server.ports]\na=1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("small", text)
		if err == nil && (d.Title == "" || len(d.Servers) == 0) {
			t.Errorf("accepted without title or server: %q", text)
		}
	})
}

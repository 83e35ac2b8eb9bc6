package triton_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/triton"
)

// TestTraceSettings holds the answers to those that Triton 2.51 gives.
func TestTraceSettings(t *testing.T) {
	t.Parallel()
	f := preset(t)
	for _, c := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/v2/trace/setting", `{"trace_rate":"100"}`, 200, `{"trace_level":["OFF"],"trace_rate":"100","trace_count":"-1","log_frequency":"0","trace_file":"","trace_mode":"triton"}`},
		{"/v2/trace/setting", `{"trace_count":"5","mood":"good"}`, 200, `"trace_rate":"100","trace_count":"5"`},
		{"/v2/models/tokenizer/trace/setting", `{}`, 200, `"trace_rate":"100","trace_count":"5"`},
		{"/v2/models/tokenizer/trace/setting", `{"trace_rate":"7"}`, 200, `"trace_rate":"7","trace_count":"5"`},
		{"/v2/trace/setting", `{"trace_rate":null,"trace_count":null}`, 200, `"trace_rate":"1000","trace_count":"-1"`},
		{"/v2/models/tokenizer/trace/setting", `{}`, 200, `"trace_rate":"7","trace_count":"-1"`},
		{"/v2/models/tokenizer/trace/setting", `{"trace_rate":null}`, 200, `"trace_rate":"1000"`},
		{"/v2/trace/setting", `{"trace_level":["OFF"],"trace_mode":"opentelemetry"}`, 200, `"trace_mode":"triton"`},
		{"/v2/trace/setting", `{"trace_level":["TIMESTAMPS"]}`, 400, "trace file name is not given"},
		{"/v2/trace/setting", `{"trace_level":"OFF"}`, 400, "must be a list of strings"},
		{"/v2/trace/setting", `{"trace_file":"f"}`, 501, "trace file location can not be updated"},
		{"/v2/trace/setting", `{"trace_rate":"x"}`, 400, "Unable to parse 'trace_rate', got: x"},
		{"/v2/trace/setting", `{"trace_rate":"0"}`, 400, "Unable to parse 'trace_rate', got: 0"},
		{"/v2/trace/setting", `{"trace_rate":5}`, 400, "must be a string"},
		{"/v2/models/nobody/trace/setting", `{}`, 400, "Request for unknown model : nobody"},
	} {
		if w := f.do("POST", c.path, []byte(c.body)); w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
}

// TestLogSettings: what a client sets is what the log then leaves out.
func TestLogSettings(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	logging := triton.NewLogging(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.LevelInfo)
	log := slog.New(logging).With("part", "one").WithGroup("more")
	lines := func() (kinds string) {
		written.Reset()
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		log.Error("e")
		for _, line := range strings.Split(strings.TrimSpace(written.String()), "\n") {
			if _, kind, found := strings.Cut(line, "msg="); found {
				kinds += kind[:1]
			}
		}
		return kinds
	}
	f := newFixture(t, triton.Options{Logging: logging})
	for _, c := range []struct {
		body   string
		status int
		says   string
		lines  string
	}{
		{`{}`, 200, `{"log_file":"","log_info":true,"log_warning":true,"log_error":true,"log_verbose_level":0,"log_format":"default"}`, "iwe"},
		{`{"log_info":false}`, 200, `"log_info":false`, "we"},
		{`{"log_verbose_level":1,"log_warning":null,"mood":1}`, 200, `"log_verbose_level":1`, "dwe"},
		{`{"log_error":false,"log_info":"x"}`, 400, "Unable to parse 'log_info'", "dwe"}, // nothing is changed
		{`{"log_verbose_level":-1}`, 400, "Unable to parse 'log_verbose_level'", "dwe"},
		{`{"log_file":"f"}`, 501, "log file location can not be updated", "dwe"},
		{`{"log_format":"x"}`, 503, "invalid argument for --log_format, got: x", "dwe"},
		{`{"log_format":"ISO8601","log_verbose_level":0,"log_info":true}`, 200, `"log_format":"ISO8601"`, "iwe"},
		{`{"log_info":false,"log_warning":false,"log_error":false}`, 200, `"log_error":false`, ""},
	} {
		if w := f.do("POST", "/v2/logging", []byte(c.body)); w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
		}
		if got := lines(); got != c.lines {
			t.Errorf("%s: the log has %q, want %q", c.body, got, c.lines)
		}
	}
	client := pb.NewGRPCInferenceServiceClient(dial(t, f))
	settings := map[string]*pb.LogSettingsRequest_SettingValue{"log_info": {ParameterChoice: &pb.LogSettingsRequest_SettingValue_BoolParam{BoolParam: true}}}
	if got, err := client.LogSettings(t.Context(), &pb.LogSettingsRequest{Settings: settings}); err != nil || !got.Settings["log_info"].GetBoolParam() || lines() != "i" {
		t.Errorf("%v, %v", got, err)
	}
}

package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// served is a paceline serve of the tiny model, as a process.
type served struct {
	*exec.Cmd
	URL    string `json:"listening"`
	Model  string
	stderr *bytes.Buffer
}

func startServe(t *testing.T, env []string, args ...string) *served {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes are told to stop by signals here, which this system does not have")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Cmd: exec.Command(self), stderr: &bytes.Buffer{}}
	s.Args = append([]string{"paceline", "serve", "--model", "../../testdata/tiny/bert", "--port", "0"}, args...) // TestMain goes by the first
	s.Env = append(os.Environ(), env...)
	s.Stderr = s.stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		_ = s.Wait()
		t.Fatalf("no ready line: %v: %s", err, s.stderr)
	}
	if err := json.Unmarshal(line, s); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s
}

func (s *served) get(t *testing.T, path string) (int, string) {
	t.Helper()
	r, err := http.Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}

// stop tells it to stop and returns its log.
func (s *served) stop(t *testing.T) string {
	t.Helper()
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, s.stderr)
	}
	return s.stderr.String()
}

// TestServe starts the server as a user does, asks it, and tells it to stop.
func TestServe(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--log-level", "debug")
	if status, text := s.get(t, "/health"); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	r, err := http.Post(s.URL+"/embeddings", "application/json", strings.NewReader(`["a","b"]`))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("%d", r.StatusCode)
	}
	log := s.stop(t)
	for _, want := range []string{"msg=ready", "listening=" + s.URL, "policy=continuous", "dtype=", "cpu_level=", "took=", "path=/embeddings status=200", `msg="shutting down"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
}

// TestServeSettings: profile, TEI's variables, the key and the second port reach
// the server.
func TestServeSettings(t *testing.T) {
	t.Parallel()
	s := startServe(t, []string{"MAX_CLIENT_BATCH_SIZE=7", "PACELINE_MAX_BATCH_TOKENS=999", "AUTO_TRUNCATE=false", "SERVED_MODEL_NAME=mine"},
		"--profile", "tei", "--json-output")
	status, text := s.get(t, "/info")
	var info map[string]any
	if err := json.Unmarshal([]byte(text), &info); err != nil || status != 200 {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	for key, want := range map[string]any{
		"profile": "tei", "policy": "budget", "max_client_batch_size": 7.0, "max_batch_tokens": 999.0, "auto_truncate": false, "served_model_name": "mine",
	} {
		if info[key] != want {
			t.Errorf("%s is %v, want %v", key, info[key], want)
		}
	}
	log := s.stop(t)
	if line, _, _ := strings.Cut(log, "\n"); !json.Valid([]byte(line)) {
		t.Errorf("not JSON: %s", line)
	}
}

// TestServeTLS speaks HTTP/2 over the certificate of the two flags, wants the key
// there, and leaves the second port open and plain.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := selfSigned(t)
	metrics := freePort(t)
	s := startServe(t, []string{"API_KEY=secret"}, "--tls-cert", cert, "--tls-key", key, "--metrics-port", metrics)
	if !strings.HasPrefix(s.URL, "https://") {
		t.Fatalf("it listens on %s", s.URL)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for key, want := range map[string]int{"secret": 200, "wrong": 401} {
		request, err := http.NewRequest(http.MethodGet, s.URL+"/info", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+key)
		r, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want || r.ProtoMajor != 2 {
			t.Errorf("key %s: %s over %s, want %d", key, r.Status, r.Proto, want)
		}
	}
	s.URL = "http://127.0.0.1:" + metrics
	if status, text := s.get(t, "/metrics"); status != 200 || !strings.Contains(text, "embedding_queue_size") {
		t.Errorf("%d %.100s", status, text)
	}
	s.stop(t)
}

// freePort is a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// selfSigned writes a certificate for loopback and its key.
func selfSigned(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), pool
}

// TestServePortInUse is said at once and before the model is looked for.
func TestServePortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Args = []string{"paceline", "serve", "--model", "nowhere", "--port", port}
	text, err := c.CombinedOutput()
	if c.ProcessState.ExitCode() != exitFailed || !strings.Contains(string(text), "choose another with --port") {
		t.Errorf("%v: %s", err, text)
	}
}

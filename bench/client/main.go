// Command client compares what a request costs Paceline's measuring client with what it
// costs other load generators: CPU time, user and system, of the client's process alone,
// against the same trivial replies of this process, in turns.
//
// usage: client [-paceline PATH] [-rounds N] [-seconds N] [TOOL…]
//
// A TOOL is the path of wrk, oha or hey; those that are on PATH are taken where none is
// named. Each turn is a short and a long run, whose difference is free of what a program
// takes to start. The figure is a ratio of medians: what else the machine does slows both.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

const clients = 8

func main() {
	paceline := flag.String("paceline", "build/paceline", "path of the program")
	rounds := flag.Int("rounds", 5, "turns of each client")
	seconds := flag.Int("seconds", 4, "length of the longer run of a turn; the other takes one")
	texts := flag.Int("texts", 1, "texts a request")
	dim := flag.Int("dim", 384, "values of each vector of a reply")
	flag.Parse()
	tools := flag.Args()
	if len(tools) == 0 {
		for _, name := range []string{"oha", "wrk", "hey"} {
			if path, err := exec.LookPath(name); err == nil {
				tools = append(tools, path)
			}
		}
	}
	if err := run(*paceline, tools, *rounds, *seconds, newService(*texts, *dim)); err != nil {
		log.Fatal(err)
	}
}

// service gives the same reply to everything and counts it.
type service struct {
	text          string
	request       []byte
	single, reply []byte // to a request of one text, and to every other
	texts         int
	served        atomic.Int64
}

func newService(texts, dim int) *service {
	vector := make([]float32, dim)
	for i := range vector {
		vector[i] = float32(i) * 1.2345e-4
	}
	s := &service{texts: texts, text: "a short text of the kind that users type"}
	s.request, _ = json.Marshal(map[string]any{"texts": slices.Repeat([]string{s.text}, texts)})
	s.single, _ = json.Marshal(map[string]any{"embeddings": [][]float32{vector}})
	s.reply, _ = json.Marshal(map[string]any{"embeddings": slices.Repeat([][]float32{vector}, texts)})
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	reply := s.reply
	if n < int64(2*len(s.text)) { // what a client asks first
		reply = s.single
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.Write(reply)
	s.served.Add(1)
}

// run gives every client its turns and prints the medians.
func run(paceline string, tools []string, rounds, seconds int, s *service) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, s)
	url := "http://" + listener.Addr().String()
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cost := map[string][]float64{}
	for range rounds {
		for _, tool := range append([]string{paceline}, tools...) {
			c, err := s.turn(tool, url, dir, seconds)
			if err != nil {
				return fmt.Errorf("%s: %w", tool, err)
			}
			cost[filepath.Base(tool)] = append(cost[filepath.Base(tool)], c)
		}
	}
	print(cost, s)
	return nil
}

// command is how a tool is asked for the same load.
func (s *service) command(tool, url, dir string, seconds int) ([]string, error) {
	body, data := filepath.Join(dir, "body.json"), filepath.Join(dir, "texts.txt")
	if err := errors.Join(os.WriteFile(body, s.request, 0o644), os.WriteFile(data, []byte(s.text), 0o644)); err != nil {
		return nil, err
	}
	n, duration := strconv.Itoa(clients), fmt.Sprintf("%ds", seconds)
	switch name := filepath.Base(tool); name {
	case "paceline":
		return []string{tool, "stress", "--url", url, "--duration", duration, "--batch-size", strconv.Itoa(s.texts),
			"--max-concurrent-requests", n, "--data", data, "--out", dir}, nil
	case "oha":
		return []string{tool, "--no-tui", "-z", duration, "-c", n, "-m", "POST", "-T", "application/json", "-D", body, url + "/embed"}, nil
	case "hey":
		return []string{tool, "-z", duration, "-c", n, "-m", "POST", "-T", "application/json", "-D", body, url + "/embed"}, nil
	case "wrk":
		script := filepath.Join(dir, "post.lua")
		lua := fmt.Sprintf("wrk.method = 'POST'\nwrk.body = [==[%s]==]\nwrk.headers['Content-Type'] = 'application/json'\n", s.request)
		return []string{tool, "-t", "1", "-c", n, "-d", duration, "-s", script, url + "/embed"}, os.WriteFile(script, []byte(lua), 0o644)
	default:
		return nil, fmt.Errorf("%s: oha, hey and wrk are known", name)
	}
}

// turn is the CPU time of one more request, in microseconds.
func (s *service) turn(tool, url, dir string, seconds int) (float64, error) {
	short, few, err := s.spent(tool, url, dir, 1)
	if err != nil {
		return 0, err
	}
	long, many, err := s.spent(tool, url, dir, seconds)
	if err != nil {
		return 0, err
	}
	if many <= few {
		return 0, fmt.Errorf("%d requests in 1 s, %d in %d s", few, many, seconds)
	}
	return float64(long-short) / float64(time.Microsecond) / float64(many-few), nil
}

// spent is the CPU time of one run and its requests.
func (s *service) spent(tool, url, dir string, seconds int) (cpu time.Duration, requests int64, err error) {
	command, err := s.command(tool, url, dir, seconds)
	if err != nil {
		return 0, 0, err
	}
	before := s.served.Load()
	cmd := exec.Command(command[0], command[1:]...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("%w: %s", err, said.Bytes())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), s.served.Load() - before, nil
}

func print(cost map[string][]float64, s *service) {
	own := median(cost["paceline"])
	fmt.Printf("CPU time a request, %d texts, a reply of %d bytes, %d clients; medians of %d turns\n", s.texts, len(s.reply), clients, len(cost["paceline"]))
	for name, list := range cost {
		fmt.Printf("%-9s %7.1f us (%.1f-%.1f)", name, median(list), slices.Min(list), slices.Max(list))
		if name != "paceline" {
			fmt.Printf("   paceline costs %.2f times as much", own/median(list))
		}
		fmt.Println()
	}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

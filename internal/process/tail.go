package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// What a message quotes of a log: its last lines, within a limit of bytes that
// holds a stack trace's head and no more.
const (
	tailBytes = 4 << 10
	tailLines = 20
)

// describeTail quotes the end of a log, or says why there is none.
func describeTail(logFile string) string {
	text, err := tail(logFile)
	switch {
	case err != nil:
		return fmt.Sprintf("its log cannot be read: %v", err)
	case text == "":
		return "it wrote nothing to " + logFile
	}
	return "the end of " + logFile + ":\n" + text
}

// tail reads the last lines of a file, however large it has grown.
func tail(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	start := max(0, size-tailBytes)
	b := make([]byte, size-start)
	n, err := f.ReadAt(b, start)
	if err != nil && err != io.EOF {
		return "", err
	}
	b = b[:n]
	if start > 0 { // begin with a whole line
		if _, rest, found := bytes.Cut(b, []byte("\n")); found {
			b = rest
		}
	}
	lines := strings.Split(strings.TrimRight(strings.ToValidUTF8(string(b), "?"), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n"), nil
}

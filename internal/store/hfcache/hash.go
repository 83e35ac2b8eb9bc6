package hfcache

import (
	"context"
	"crypto/sha1" // git names its blobs so
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
)

// HashFile hashes a file in the way that the given hash was made: SHA-256 for 64
// hexadecimal digits, git's blob id for 40.
func HashFile(ctx context.Context, path, like string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if len(like) == 2*sha1.Size {
		info, err := f.Stat()
		if err != nil {
			return "", err
		}
		h = sha1.New()
		fmt.Fprintf(h, "blob %d\x00", info.Size())
	}
	return sum(ctx, h, f)
}

// SHA256File is a file's SHA-256 in hexadecimal digits.
func SHA256File(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sum(ctx, sha256.New(), f)
}

func sum(ctx context.Context, h hash.Hash, r io.Reader) (string, error) {
	buffer := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, err := r.Read(buffer)
		h.Write(buffer[:n])
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// SHA256 is the SHA-256 of a content in hexadecimal digits.
func SHA256(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// BlobID is git's name for a content: the SHA-1 of "blob {size}\0" and its bytes.
func BlobID(content []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

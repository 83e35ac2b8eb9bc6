package triton

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // clients may ask for it

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// sendTensors sends an answer, packed if the client asked for that.
func sendTensors(w http.ResponseWriter, r *http.Request, b *kserve.Body) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if len(b.Raw) > 0 {
		h.Set("Content-Type", "application/octet-stream")
		h.Set(tensor.HeaderLength, strconv.Itoa(len(b.JSON)))
	}
	packer, name := packing(w, r.Header.Get("Accept-Encoding"))
	if packer == nil {
		h.Set("Content-Length", strconv.Itoa(b.Len()))
		return writeTensors(w, b)
	}
	h.Set("Content-Encoding", name)
	if err := writeTensors(packer, b); err != nil {
		return err
	}
	return packer.Close()
}

func writeTensors(w io.Writer, b *kserve.Body) error {
	if _, err := w.Write(b.JSON); err != nil {
		return err
	}
	for _, raw := range b.Raw {
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return nil
}

// packing is the first encoding that the client accepts and we have. Clients
// that merely list what they could read (every browser, every Python library)
// get none, though the reference server would pack for them: vectors hardly shrink.
func packing(w io.Writer, accepted string) (packer io.WriteCloser, name string) {
	switch name := strings.TrimSpace(accepted); name {
	case "gzip":
		packer, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level exists
		return packer, name
	case "deflate":
		packer, _ := zlib.NewWriterLevel(w, zlib.BestSpeed)
		return packer, name
	}
	return nil, ""
}

func init() { encoding.RegisterCompressor(deflate{}) }

// deflate is the compression of that name in gRPC: zlib's, which grpc-go leaves
// to others and Triton's clients offer.
type deflate struct{}

func (deflate) Name() string { return "deflate" }

func (deflate) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }

func (deflate) Decompress(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }

package store

import (
	"cmp"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/store/hfcache"
)

// Options says where a Store looks and whom it tells.
type Options struct {
	Cache     string            // Hugging Face cache folder
	Own       string            // Paceline's cache folder: records, and packages of no known revision
	Endpoint  string            // hub address; empty: the public hub
	Token     string            // hub access token
	Offline   bool              // touch no network, start no child process
	Progress  Progress          // nil: nobody is told
	Logger    *slog.Logger      // nil: slog.Default()
	Transport http.RoundTripper // nil: the hub client's own
}

// FromEnvironment reads what the Python clients read: HF_HUB_CACHE,
// HUGGINGFACE_HUB_CACHE (its old name), HF_HOME, XDG_CACHE_HOME, HF_ENDPOINT,
// HF_TOKEN or the token file, HF_HUB_OFFLINE; and PACELINE_CACHE.
func FromEnvironment() Options {
	home := hfHome()
	return Options{
		Cache:    expand(cmp.Or(os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub"))),
		Own:      expand(cmp.Or(os.Getenv("PACELINE_CACHE"), filepath.Join(cacheHome(), "paceline"))),
		Endpoint: os.Getenv("HF_ENDPOINT"),
		Token:    token(home),
		Offline:  isTrue(cmp.Or(os.Getenv("HF_HUB_OFFLINE"), os.Getenv("TRANSFORMERS_OFFLINE"))),
	}
}

func hfHome() string {
	if home := os.Getenv("HF_HOME"); home != "" {
		return expand(home)
	}
	if xdg := os.Getenv("XDG_CACHE_HOME"); xdg != "" {
		return filepath.Join(expand(xdg), "huggingface")
	}
	return expand("~/.cache/huggingface") // on every system, as the Python clients do
}

// cacheHome is the system's folder for caches; without a home it is relative to
// the working directory, which the first write then names.
func cacheHome() string {
	if xdg := os.Getenv("XDG_CACHE_HOME"); xdg != "" {
		return expand(xdg)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ".cache"
	}
	return dir
}

func token(home string) string {
	if t := cmp.Or(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN")); t != "" {
		return strings.TrimSpace(t)
	}
	if isTrue(os.Getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		return ""
	}
	text, err := os.ReadFile(expand(cmp.Or(os.Getenv("HF_TOKEN_PATH"), filepath.Join(home, "token"))))
	if err != nil {
		return "" // most users have none
	}
	return strings.TrimSpace(string(text))
}

func isTrue(value string) bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(value))
}

// expand replaces a leading ~ by the home folder.
func expand(path string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || (rest != "" && !os.IsPathSeparator(rest[0])) {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

// caches are the folders in Hugging Face layout that are looked at: the shared
// one, and Paceline's own for packages whose commit is not known.
func (o Options) caches() []hfcache.Cache {
	return []hfcache.Cache{{Root: o.Cache}, o.packages()}
}

func (o Options) packages() hfcache.Cache {
	return hfcache.Cache{Root: filepath.Join(o.Own, "packages")}
}

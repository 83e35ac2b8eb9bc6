package hub

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Errors to be told apart with errors.Is. A *StatusError is one of the last four
// where the hub's answer says so.
var (
	ErrUnreachable      = errors.New("hub unreachable")
	ErrRepoNotFound     = errors.New("no such repository")
	ErrRevisionNotFound = errors.New("no such revision")
	ErrEntryNotFound    = errors.New("no such file")
	ErrAccess           = errors.New("access refused")
)

// EndpointError is an endpoint that is no HTTP address.
type EndpointError struct{ Endpoint string }

func (e *EndpointError) Error() string {
	return fmt.Sprintf("HF_ENDPOINT %q is not an http or https address", e.Endpoint)
}

// StatusError is an answer of the hub that is no success.
type StatusError struct {
	URL     string
	Status  int
	Code    string // the header X-Error-Code, such as "GatedRepo"
	Message string // the header X-Error-Message
	Token   bool   // whether a token was sent
}

func newStatusError(r *http.Response) *StatusError {
	return &StatusError{
		URL:     r.Request.URL.Redacted(),
		Status:  r.StatusCode,
		Code:    r.Header.Get("X-Error-Code"),
		Message: r.Header.Get("X-Error-Message"),
		Token:   r.Request.Header.Get("Authorization") != "",
	}
}

func (e *StatusError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: status %d %s", withoutQuery(e.URL), e.Status, http.StatusText(e.Status))
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %.200s", e.Message)
	}
	b.WriteString(e.advice())
	return b.String()
}

// advice names the way out. The hub answers 401 for a repository that does not
// exist as well as for one that needs a token.
func (e *StatusError) advice() string {
	switch {
	case e.Code == "GatedRepo":
		return "; accept the model's terms on its page and set HF_TOKEN"
	case e.Status == http.StatusUnauthorized && !e.Token:
		return "; check the name, or set HF_TOKEN if the repository is private"
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return "; HF_TOKEN gives no access to it"
	default:
		return ""
	}
}

// Is tells what kind of failure the answer is.
func (e *StatusError) Is(target error) bool {
	switch target {
	case ErrRepoNotFound:
		return e.Code == "RepoNotFound"
	case ErrRevisionNotFound:
		return e.Code == "RevisionNotFound"
	case ErrEntryNotFound:
		return e.Code == "EntryNotFound"
	case ErrAccess:
		return e.Code == "GatedRepo" || (e.Code == "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden))
	default:
		return false
	}
}

// withoutQuery drops the query, which carries the signature of a storage address.
func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

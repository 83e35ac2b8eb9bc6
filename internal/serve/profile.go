package serve

import (
	"fmt"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/cohere"
	"github.com/paceline/paceline/internal/serve/dialect/fastapi"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
	"github.com/paceline/paceline/internal/serve/dialect/openai"
	"github.com/paceline/paceline/internal/serve/dialect/poc"
	"github.com/paceline/paceline/internal/serve/dialect/tei"
)

// Profile is one serving stack as Paceline plays it: its batching policy, its
// languages, its port and its limits.
type Profile struct {
	Name     string // "" is Paceline's own
	Port     int
	GRPC     int // port of the stack's gRPC door; 0 for none
	Metrics  int // port of the stack's metrics; 0 for none of its own
	Policy   batch.Policy
	Dialects []dialect.Dialect // where several have a path, the first is the default; none: an Extension is all
	Limits   Limits
	// AnyModel answers requests for models of any name with the one there is.
	AnyModel bool
}

// fail is how errors are written that belong to no route.
func (p Profile) fail() func(*dialect.Answer, *dialect.Error) {
	if len(p.Dialects) == 0 {
		return kserve.Fail
	}
	return p.Dialects[0].Routes[0].Fail
}

// Limits bound what clients may ask for; 0 is no limit.
type Limits struct {
	Body       int64             // bytes of one request's body, uncompressed
	Bodies     int64             // bytes of all bodies that are being read or understood
	Concurrent int               // requests at once
	Inputs     int               // inputs of one request
	Truncate   bool              // cut inputs that are too long unless a request says otherwise
	LongText   pipeline.LongText // unless empty, what becomes of them in every dialect unless a request says otherwise
}

// Profiles are the names that ProfileNamed knows, Paceline's own apart.
var Profiles = []string{"fastapi", "triton", "tei", "langchain", "vllm"}

// The limits of a stack that sets none.
const (
	roomyBody = 32 << 20
	allBodies = 256 << 20
)

// ProfileNamed returns a profile with its stack's defaults.
func ProfileNamed(name string) (Profile, error) {
	policy, err := batch.Profile(name)
	if err != nil {
		return Profile{}, fmt.Errorf("unknown profile %q: it must be one of %q", name, Profiles)
	}
	p := Profile{
		Name: name, Port: 8000, Policy: policy,
		Limits: Limits{Body: roomyBody, Bodies: allBodies, Concurrent: 1024, Inputs: 2048, Truncate: true},
	}
	switch name {
	case "fastapi", "triton":
		if name == "triton" {
			p.GRPC, p.Metrics = 8001, 8002
		}
		p.Dialects = []dialect.Dialect{fastapi.New()}
		p.Limits.Inputs = 10_000 // the original has no limit; this is the one of its /search
	case "tei":
		p.Port = 8080
		p.Dialects = []dialect.Dialect{tei.New()}
		p.Limits.Body, p.Limits.Concurrent, p.Limits.Inputs = 2_000_000, 512, 32
		p.AnyModel = true
	case "langchain":
		p.Dialects = []dialect.Dialect{poc.New("huggingface")}
	case "vllm":
		p.Port = 8001
		p.Dialects = []dialect.Dialect{poc.New("vllm"), openai.New(), cohere.New()}
		p.Limits.Truncate = false
	default:
		p.Dialects = []dialect.Dialect{everything(), fastapi.New(), openai.New(), tei.New(), poc.New("paceline"), cohere.New()}
	}
	return p, nil
}

// describePolicy notes what a policy's bounds mean to those who ask for limits.
func describePolicy(i *dialect.Info, p batch.Policy) {
	i.Policy = p.Name()
	switch p := p.(type) {
	case batch.Window:
		i.BatchTexts, i.TargetBatch, i.BatchRequests = p.Requests, p.Target, p.Requests
	case batch.Preferred:
		i.BatchTexts, i.TargetBatch = p.MaxTexts, p.Sizes[len(p.Sizes)/2-1]
	case batch.Budget:
		i.BatchTexts, i.TargetBatch, i.BatchTokens, i.BatchRequests = p.Texts, p.Texts, p.Tokens, p.Texts
	case batch.Direct:
		i.BatchTexts, i.TargetBatch = p.Texts, p.Texts
	case batch.Continuous:
		i.BatchTexts, i.TargetBatch, i.BatchTokens = p.Texts, p.Texts, p.Tokens
	}
}

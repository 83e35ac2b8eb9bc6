package tei

import (
	"strconv"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// info writes TEI's account of the server and, after it, what else there is to
// know of this one: the policy, the CPU level and the limits in force.
func info(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	o := &object{a: a}
	a.Raw(`{`)
	o.text("model_id", i.ModelID)
	o.text("model_sha", i.Revision)
	o.text("model_dtype", i.DType)
	o.text("served_model_name", i.Model)
	o.name("model_type")
	modelType(a, i)
	o.number("max_concurrent_requests", i.ConcurrentLimit)
	o.number("max_input_length", i.MaxTokens)
	o.number("max_batch_tokens", i.BatchTokens)
	o.number("max_batch_requests", i.BatchRequests)
	o.number("max_client_batch_size", i.ClientBatch)
	o.name("auto_truncate")
	a.Bool(i.TruncatesDefault)
	o.number("tokenization_workers", i.Threads)
	o.text("version", i.Version)
	o.text("sha", "")
	o.text("docker_label", "")
	o.text("server", "paceline")
	o.text("profile", i.Profile)
	o.text("policy", i.Policy)
	o.text("device", i.Device)
	o.text("cpu_level", i.CPULevel)
	o.number("threads", i.Threads)
	o.number("embedding_dim", i.Dim)
	o.number("payload_limit", int(i.BodyLimit))
	a.Raw(`}`)
}

// modelType writes what the model computes: {"embedding": {"pooling"}}, or
// "classifier" or "reranker" with its labels.
func modelType(a *dialect.Answer, i *dialect.Info) {
	switch i.Head {
	case dialect.Classifier:
		a.Raw(`{"classifier":`)
	case dialect.Reranker:
		a.Raw(`{"reranker":`)
	default:
		a.Raw(`{"embedding":{"pooling":`)
		a.String(i.Pooling)
		a.Raw(`}}`)
		return
	}
	o := &object{a: a}
	a.Raw(`{"id2label":{`)
	for id, label := range i.Labels {
		o.text(strconv.Itoa(id), label)
	}
	o.begun = false
	a.Raw(`},"label2id":{`)
	for id, label := range i.Labels {
		o.name(label)
		a.Int(id)
	}
	a.Raw(`}}}`)
}

// object writes the members of an object; what is empty or 0 becomes null.
type object struct {
	a     *dialect.Answer
	begun bool
}

func (o *object) name(name string) {
	if o.begun {
		o.a.Raw(`,`)
	}
	o.begun = true
	o.a.String(name)
	o.a.Raw(`:`)
}

func (o *object) text(name, value string) {
	o.name(name)
	if value == "" {
		o.a.Raw(`null`)
		return
	}
	o.a.String(value)
}

func (o *object) number(name string, n int) {
	o.name(name)
	if n == 0 {
		o.a.Raw(`null`)
		return
	}
	o.a.Int(n)
}

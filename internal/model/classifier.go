package model

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// classifiers maps config.json's model_type to the reader of the family's
// sequence-classification head; those of the names that end in
// ForSequenceClassification in transformers.
var classifiers = map[string]func(c *classifierConfig, s *Spec, tensors Tensors) (Classifier, error){
	"bert":        readPooledClassifier,
	"camembert":   readDenseClassifier,
	"distilbert":  readDistilBERTClassifier,
	"gte":         readPooledClassifier,
	"modernbert":  readModernBERTClassifier,
	"mpnet":       readDenseClassifier,
	"new":         readPooledClassifier,
	"nomic_bert":  readPooledClassifier,
	"roberta":     readDenseClassifier,
	"xlm-roberta": readDenseClassifier,
}

type classifierConfig struct {
	Architectures []string          `json:"architectures"`
	Labels        map[string]string `json:"id2label"`
	Count         int               `json:"num_labels"` // where there is no id2label

	// ModernBERT's.
	Pooling    PoolingMode `json:"classifier_pooling"`
	Activation hiddenAct   `json:"classifier_activation"`
	Bias       bool        `json:"classifier_bias"`
	NormBias   bool        `json:"norm_bias"`
	Eps        float64     `json:"norm_eps"`

	labels []string // in order
}

// readClassifier returns the zero value where config.json names no such head.
func readClassifier(config []byte, s *Spec, tensors Tensors) (Classifier, error) {
	c := classifierConfig{Count: 2, Pooling: PoolCLS, Activation: hiddenAct(GELU), Eps: 1e-5}
	if err := decodeConfig(config, &c); err != nil {
		return Classifier{}, err
	}
	if !slices.ContainsFunc(c.Architectures, func(a string) bool { return strings.HasSuffix(a, "ForSequenceClassification") }) {
		return Classifier{}, nil
	}
	read, ok := classifiers[s.Family]
	if !ok {
		return Classifier{}, fmt.Errorf("a classifier of %s is %w (known: %s)", s.Family, ErrUnsupported, strings.Join(slices.Sorted(maps.Keys(classifiers)), ", "))
	}
	if err := c.readLabels(); err != nil {
		return Classifier{}, err
	}
	head, err := read(&c, s, tensors)
	head.Labels = c.labels
	return head, err
}

// readLabels puts id2label in order. Without it there are num_labels, or transformers' two.
func (c *classifierConfig) readLabels() error {
	if c.Labels == nil {
		if err := inRange("num_labels", c.Count, 1, maxWidth); err != nil {
			return err
		}
		for i := range c.Count {
			c.labels = append(c.labels, fmt.Sprintf("LABEL_%d", i))
		}
		return nil
	}
	for i := range len(c.Labels) {
		label, ok := c.Labels[strconv.Itoa(i)]
		if !ok {
			return fmt.Errorf("id2label has %d labels and none for %d", len(c.Labels), i)
		}
		c.labels = append(c.labels, label)
	}
	return inRange("number of labels", len(c.labels), 1, maxWidth)
}

// readPooledClassifier reads BERT's: a linear layer on the pooler, which is a layer
// with tanh on the first token.
func readPooledClassifier(c *classifierConfig, s *Spec, tensors Tensors) (Classifier, error) {
	pooler, t := newCheckpoint(tensors, "pooler.dense.weight"), newCheckpoint(tensors, "classifier.weight")
	head := Classifier{
		Pooling: PoolCLS,
		Dense:   Dense{Linear: pooler.linear("pooler.dense", s.Hidden, s.Hidden, true), Activation: Tanh},
		Out:     t.linear("classifier", len(c.labels), s.Hidden, true),
	}
	return head, firstError(pooler.err, t.err)
}

// readDenseClassifier reads RoBERTa's, whose layer is its own.
func readDenseClassifier(c *classifierConfig, s *Spec, tensors Tensors) (Classifier, error) {
	t := newCheckpoint(tensors, "classifier.dense.weight")
	return Classifier{
		Pooling: PoolCLS,
		Dense:   Dense{Linear: t.linear("classifier.dense", s.Hidden, s.Hidden, true), Activation: Tanh},
		Out:     t.linear("classifier.out_proj", len(c.labels), s.Hidden, true),
	}, t.err
}

func readDistilBERTClassifier(c *classifierConfig, s *Spec, tensors Tensors) (Classifier, error) {
	t := newCheckpoint(tensors, "pre_classifier.weight")
	return Classifier{
		Pooling: PoolCLS,
		Dense:   Dense{Linear: t.linear("pre_classifier", s.Hidden, s.Hidden, true), Activation: ReLU},
		Out:     t.linear("classifier", len(c.labels), s.Hidden, true),
	}, t.err
}

func readModernBERTClassifier(c *classifierConfig, s *Spec, tensors Tensors) (Classifier, error) {
	if c.Pooling != PoolCLS && c.Pooling != PoolMean {
		return Classifier{}, fmt.Errorf("classifier_pooling %q is not known (known: cls, mean)", c.Pooling)
	}
	t := newCheckpoint(tensors, "head.dense.weight")
	return Classifier{
		Pooling: c.Pooling,
		Dense:   Dense{Linear: t.linear("head.dense", s.Hidden, s.Hidden, c.Bias), Activation: Activation(c.Activation)},
		Norm:    t.norm("head.norm", s.Hidden, c.Eps, c.NormBias),
		Out:     t.linear("classifier", len(c.labels), s.Hidden, true),
	}, firstError(t.err, epsilon("norm_eps", c.Eps))
}

package pipeline

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// readSentenceConfig reads prompts and truncate_dim. A file that is not there
// says nothing.
func (p *Pipeline) readSentenceConfig(fsys fs.FS) error {
	var c struct {
		Prompts     map[string]*string `json:"prompts"`
		DefaultName *string            `json:"default_prompt_name"`
		TruncateDim *int               `json:"truncate_dim"`
		Similarity  *string            `json:"similarity_fn_name"`
	}
	if _, err := decodeFile(fsys, sentenceConfigFile, &c); err != nil {
		return err
	}
	p.prompts = map[string]string{}
	for name, text := range c.Prompts {
		if text != nil {
			p.prompts[name] = *text
		}
	}
	if c.DefaultName != nil {
		text, ok := p.prompts[*c.DefaultName]
		if !ok {
			return p.unknownPrompt(*c.DefaultName)
		}
		p.byDefault = text
	}
	if err := p.readSimilarity(c.Similarity); err != nil {
		return err
	}
	return p.truncateDim(c.TruncateDim)
}

// readSimilarity reads the measure that the model was trained for; none is the
// cosine.
func (p *Pipeline) readSimilarity(name *string) error {
	p.similarity = "cosine"
	if name == nil {
		return nil
	}
	switch *name {
	case "cosine", "dot", "euclidean", "manhattan":
		p.similarity = *name
		return nil
	}
	return fmt.Errorf("similarity_fn_name %q is unknown (known: cosine, dot, euclidean, manhattan)", *name)
}

func (p *Pipeline) truncateDim(dim *int) error {
	if dim == nil {
		return nil
	}
	if *dim < 1 {
		return fmt.Errorf("truncate_dim is %d; it must be at least 1", *dim)
	}
	p.dim = min(*dim, p.width)
	return nil
}

// prompt is the text to put before an input: the caller's own, else the one of
// that name, else the model's default.
func (p *Pipeline) prompt(o PrepareOptions) (string, error) {
	switch {
	case o.Prompt != "":
		return o.Prompt, nil
	case o.PromptName == "":
		return p.byDefault, nil
	}
	text, ok := p.prompts[o.PromptName]
	if !ok {
		return "", p.unknownPrompt(o.PromptName)
	}
	return text, nil
}

func (p *Pipeline) unknownPrompt(name string) error {
	return &UnknownPromptError{Name: name, Known: slices.Sorted(maps.Keys(p.prompts))}
}

package token

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A template (post-processor) says which special tokens stand around a text or a pair of texts, and which type ids the
// tokens have. All kinds of post-processors come down to it.
type template struct {
	single, pair                 []part
	singleSpecials, pairSpecials int
	trim                         *trimming
}

// A part is one special token, or one of the two texts.
type part struct {
	text int // 0 or 1: the first or the second text; special: a special token
	id   int32
	kind uint8 // the type id
}

const special = -1

// trimming takes white space that belongs to a token out of its offsets.
type trimming struct{ addPrefixSpace bool }

// templateFile is a post-processor of tokenizer.json, every kind's fields together.
type templateFile struct {
	Type       string            `json:"type"`
	Processors []json.RawMessage `json:"processors"`

	Single        []templatePart `json:"single"`
	Pair          []templatePart `json:"pair"`
	SpecialTokens map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`

	Sep            namedID `json:"sep"`
	Cls            namedID `json:"cls"`
	TrimOffsets    bool    `json:"trim_offsets"`
	AddPrefixSpace bool    `json:"add_prefix_space"`
}

type templatePart struct {
	Sequence, SpecialToken *struct {
		ID     string `json:"id"`
		TypeID uint8  `json:"type_id"`
	}
}

// namedID is a token and its id as a JSON list of two.
type namedID struct{ id int32 }

func (n *namedID) UnmarshalJSON(data []byte) error {
	var name string
	pair := []any{&name, &n.id}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("want a token and its id, got %s", data)
	}
	return nil
}

// readTemplate reads a post-processor; null puts nothing around the texts.
func readTemplate(raw json.RawMessage, depth int) (*template, error) {
	t := &template{single: []part{{text: 0}}, pair: []part{{text: 0}, {text: 1, kind: 1}}}
	file, present, err := readComponent[templateFile](raw, depth)
	if !present || err != nil {
		return t, err
	}
	switch file.Type {
	case "TemplateProcessing":
		err = t.readParts(file)
	case "BertProcessing":
		cls, sep := part{special, file.Cls.id, 0}, part{special, file.Sep.id, 0}
		t.single = []part{cls, {text: 0}, sep}
		t.pair = []part{cls, {text: 0}, sep, {text: 1, kind: 1}, {special, file.Sep.id, 1}}
	case "RobertaProcessing":
		cls, sep := part{special, file.Cls.id, 0}, part{special, file.Sep.id, 0}
		t.single = []part{cls, {text: 0}, sep}
		t.pair = []part{cls, {text: 0}, sep, sep, {text: 1}, sep}
		if file.TrimOffsets {
			t.trim = &trimming{file.AddPrefixSpace}
		}
	case "ByteLevel":
		if file.TrimOffsets {
			t.trim = &trimming{file.AddPrefixSpace}
		}
	case "Sequence":
		err = t.readSequence(file, depth)
	default:
		err = unsupported("post_processor", file.Type, "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence",
			"TemplateProcessing")
	}
	t.singleSpecials, t.pairSpecials = countSpecials(t.single), countSpecials(t.pair)
	return t, err
}

func countSpecials(parts []part) (n int) {
	for _, p := range parts {
		if p.text == special {
			n++
		}
	}
	return n
}

// readSequence joins processors of which at most one puts tokens around the texts.
func (t *template) readSequence(file templateFile, depth int) error {
	for _, raw := range file.Processors {
		next, err := readTemplate(raw, depth+1)
		if err != nil {
			return err
		}
		if next.trim != nil {
			t.trim = next.trim
		}
		if next.singleSpecials+next.pairSpecials == 0 {
			continue
		}
		if t.singleSpecials+t.pairSpecials > 0 {
			return fmt.Errorf("a post_processor Sequence with two templates is not supported")
		}
		trim := t.trim
		*t = *next
		t.trim = trim
	}
	return nil
}

func (t *template) readParts(file templateFile) (err error) {
	if t.single, err = file.parts(file.Single, 1); err != nil {
		return fmt.Errorf("single: %w", err)
	}
	if t.pair, err = file.parts(file.Pair, 2); err != nil {
		return fmt.Errorf("pair: %w", err)
	}
	return nil
}

// parts reads a template for so many texts.
func (f templateFile) parts(file []templatePart, texts int) (parts []part, err error) {
	for _, p := range file {
		switch {
		case p.Sequence != nil && p.Sequence.ID == "A":
			parts = append(parts, part{text: 0, kind: p.Sequence.TypeID})
		case p.Sequence != nil && p.Sequence.ID == "B" && texts == 2:
			parts = append(parts, part{text: 1, kind: p.Sequence.TypeID})
		case p.Sequence != nil:
			return nil, fmt.Errorf("there is no sequence %q", p.Sequence.ID)
		case p.SpecialToken != nil:
			token, ok := f.SpecialTokens[p.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("special token %q is not among special_tokens", p.SpecialToken.ID)
			}
			for _, id := range token.IDs {
				parts = append(parts, part{special, id, p.SpecialToken.TypeID})
			}
		}
	}
	return parts, nil
}

// span is where a token stands in the text without the white space at its ends. written is the token as its vocabulary
// has it; first tells whether it is the text's first.
func (t *trimming) span(text, written string, s Span, first bool) Span {
	inner := strings.TrimLeftFunc(written, isTrimmed)
	leading := utf8.RuneCountInString(written) - utf8.RuneCountInString(inner)
	trailing := leading // of white space alone
	if inner != "" {
		trailing = utf8.RuneCountInString(inner) - utf8.RuneCountInString(strings.TrimRightFunc(inner, isTrimmed))
	}
	if leading == 1 && t.addPrefixSpace && (first || s.Start == 0) {
		leading = 0 // the space that was put before the text
	}
	for ; leading > 0 && s.Start < s.End; leading-- {
		_, size := utf8.DecodeRuneInString(text[s.Start:s.End])
		s.Start += size
	}
	for ; trailing > 0 && s.Start < s.End; trailing-- {
		_, size := utf8.DecodeLastRuneInString(text[s.Start:s.End])
		s.End -= size
	}
	return s
}

func isTrimmed(r rune) bool { return r == byteLevelSpace || isSpace(r) }

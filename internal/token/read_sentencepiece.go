package token

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// parseSentencePiece reads a sentencepiece.bpe.model, which in spite of its name is a Unigram model, as XLM-RoBERTa's
// tokenizer does: with fairseq's special tokens in place of SentencePiece's first three, and a mask at the end.
func parseSentencePiece(data []byte, config tokenizerConfig) (*Tokenizer, error) {
	if err := config.expect("XLMRobertaTokenizer"); err != nil {
		return nil, err
	}
	m, err := readSentencePiece(data)
	if err != nil {
		return nil, err
	}
	const sentencePieceSpecials = 3 // <unk>, <s> and </s>
	if len(m.pieces) < sentencePieceSpecials {
		return nil, fmt.Errorf("it has %d tokens", len(m.pieces))
	}
	specials := []string{"<s>", "<pad>", "</s>", "<unk>"}
	var vocab [][2]any
	for _, name := range specials {
		vocab = append(vocab, [2]any{name, 0})
	}
	for _, p := range m.pieces[sentencePieceSpecials:] {
		vocab = append(vocab, [2]any{p.token, p.score})
	}
	vocab = append(vocab, [2]any{"<mask>", 0})
	metaspace := description{"type": "Metaspace", "replacement": metaspaceChar, "prepend_scheme": "always"}
	d := description{
		"added_tokens":   describeSpecials(specials, "<mask>"),
		"pre_tokenizer":  description{"type": "Sequence", "pretokenizers": []any{description{"type": "WhitespaceSplit"}, metaspace}},
		"post_processor": description{"type": "RobertaProcessing", "cls": []any{"<s>", 0}, "sep": []any{"</s>", 2}},
		"decoder":        metaspace,
		"model":          description{"type": "Unigram", "unk_id": 3, "vocab": vocab},
	}
	if len(m.charsmap) > 0 {
		d["normalizer"] = description{"type": "Precompiled", "precompiled_charsmap": m.charsmap}
	}
	return parseDescription(d)
}

// sentencePiece is what is needed of SentencePiece's ModelProto (sentencepiece_model.proto).
type sentencePiece struct {
	pieces   []scoredToken
	charsmap []byte
}

func readSentencePiece(data []byte) (m sentencePiece, err error) {
	err = eachField(data, func(f field) error {
		switch f.number {
		case 1:
			return m.addPiece(f.bytes)
		case 2:
			return checkTrainer(f.bytes)
		case 3:
			return eachField(f.bytes, func(f field) error {
				if f.number == 2 {
					m.charsmap = f.bytes
				}
				return nil
			})
		}
		return nil
	})
	return m, err
}

func (m *sentencePiece) addPiece(data []byte) error {
	var piece scoredToken
	err := eachField(data, func(f field) error {
		switch f.number {
		case 1:
			piece.token = string(f.bytes)
		case 2:
			piece.score = float64(math.Float32frombits(uint32(f.number64)))
		}
		return nil
	})
	if math.IsNaN(piece.score) || math.IsInf(piece.score, 0) {
		return fmt.Errorf("token %q has score %v", piece.token, piece.score)
	}
	m.pieces = append(m.pieces, piece)
	return err
}

// checkTrainer refuses models that are no Unigram: field 3, model_type, is 1 or absent for those that are.
func checkTrainer(data []byte) error {
	return eachField(data, func(f field) error {
		if f.number == 3 && f.number64 != 1 {
			return fmt.Errorf("SentencePiece model of type %d is %w (known: 1, Unigram)", f.number64, ErrUnsupported)
		}
		return nil
	})
}

// A field is one of a protocol buffer's message: a number, or bytes.
type field struct {
	number   int
	number64 uint64
	bytes    []byte
}

var errProtobuf = errors.New("not a protocol buffer, or cut off")

// eachField calls do for each field of a message.
func eachField(data []byte, do func(field) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 {
			return errProtobuf
		}
		f := field{number: int(tag >> 3)}
		size := n
		switch tag & 7 {
		case 0:
			f.number64, n = binary.Uvarint(data[size:])
			if n <= 0 {
				return errProtobuf
			}
			size += n
		case 1:
			if size += 8; size > len(data) {
				return errProtobuf
			}
			f.number64 = binary.LittleEndian.Uint64(data[size-8:])
		case 2:
			length, n := binary.Uvarint(data[size:])
			if n <= 0 || length > uint64(len(data)-size-n) {
				return errProtobuf
			}
			f.bytes = data[size+n : size+n+int(length)]
			size += n + int(length)
		case 5:
			if size += 4; size > len(data) {
				return errProtobuf
			}
			f.number64 = uint64(binary.LittleEndian.Uint32(data[size-4:]))
		default:
			return errProtobuf
		}
		if err := do(f); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

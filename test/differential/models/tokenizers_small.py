"""Small tokenizers, trained on a few texts of their own: one of each kind that embedding models have."""

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "An inference server accepts a batch of texts, tokenizes them and returns one vector for each text.",
    "Search engines index millions of documents and answer queries in a few milliseconds.",
    "Die Katze sitzt auf der Matte und der Hund schläft unter dem Tisch.",
    "Le chat est assis sur le tapis; l'été, il dort dehors. 人工智能 Привет мир 1234567890 !?.,:;-()[]",
    "for i in range(10): print(i, i ** 2, 'done') # a loop THE CAPITAL LETTERS ABCDEFGHIJKLMNOPQRSTUVWXYZ",
] * 3

QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def specials(tokenizer, names, **changes):
    tokenizer.add_special_tokens([AddedToken(n, special=True, normalized=False, lstrip=n == "<mask>", **changes) for n in names])


def template(tokenizer, single, pair, *names):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(n, tokenizer.token_to_id(n)) for n in names])


def wordpiece(lower=True, size=300, names=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=lower)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(names), show_progress=False))
    template(t, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", "[CLS]", "[SEP]")
    return t, dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def mpnet(size=300):
    names = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=size, special_tokens=names, show_progress=False))
    specials(t, names)
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return t, dict(bos_token="<s>", eos_token="</s>", unk_token="[UNK]", pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")


def bytelevel(size=420, names=("<s>", "<pad>", "</s>", "<unk>", "<mask>"), regex=None, prefix=False):
    t = Tokenizer(models.BPE())
    if regex:
        t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    else:
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=size, special_tokens=list(names), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    return t


def roberta(**o):
    t = bytelevel(**o)
    specials(t, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return t, dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")


def modernbert(size=420):
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t = bytelevel(size, names)
    t.normalizer = normalizers.NFC()
    template(t, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0", "[CLS]", "[SEP]")
    return t, dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "attention_mask"])


def qwen(size=420):
    t = bytelevel(size, ["<|endoftext|>", "<|im_end|>"], QWEN)
    t.normalizer = normalizers.NFC()
    template(t, "$A:0 <|endoftext|>:0", "$A:0 <|endoftext|>:0 $B:1 <|endoftext|>:1", "<|endoftext|>")
    return t, dict(pad_token="<|endoftext|>", eos_token="<|im_end|>", padding_side="left")


def gemma(size=420):
    names = ["<pad>", "<eos>", "<bos>", "<unk>"]
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=size, special_tokens=names + ["<0x%02X>" % b for b in range(256)], show_progress=False))
    template(t, "<bos>:0 $A:0 <eos>:0", "<bos>:0 $A:0 <eos>:0 $B:1 <eos>:1", "<bos>", "<eos>")
    return t, dict(pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>")


def unigram(size=260):
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(TEXTS, trainers.UnigramTrainer(vocab_size=size, special_tokens=names, unk_token="<unk>", show_progress=False))
    template(t, "<s>:0 $A:0 </s>:0", "<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0", "<s>", "</s>")
    return t, dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>", mask_token="<mask>")


def fast(pair, limit=64, **changes):
    """What transformers wraps around one."""
    tokenizer, names = pair
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=limit, **{**names, **changes})

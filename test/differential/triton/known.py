"""Where `paceline serve` is meant to answer otherwise than Triton 2.51, and why."""

REASONS = {
    "a client's mistake is 400, where Triton answers 500 (INTERNAL) to what its parser does not like": """
        http index, not JSON
        http json: id that is no string
        http json: output without a name
        http json: priority that is a string
        http json: negative shape
        http json: dimension beyond 64 bits
        http json: shape of fractions
        http json: numbers as texts
        http json: data that is no list
        http json: input without name
        http json: input without shape
        http json: input without datatype
        http json: no inputs
        http json: inputs that are no list
        http json: not JSON
        http json: a list
        http json: ids: fractions
        http binary: negative bytes claimed
        http binary: header too short
        http binary: size without header
        http POST logging, not JSON
        http load, not JSON
        http load, unknown parameter
        http load, config that is none
        grpc load, config that is none
    """,
    "ids and masks are checked before anything is computed; in Triton a model fails on them, or computes something": """
        http json: ids: no tokens
        http json: ids: outside the vocabulary
        http json: ids: negative
        http json: ids: a mask of 2
        http json: ids: a mask of zeros
        grpc ids: no tokens
        grpc ids: outside the vocabulary
        grpc ids: negative
        grpc ids: a mask of 2
        grpc ids: a mask of zeros
    """,
    "refused, where Triton computes something that nobody asked for: it drops bits of a number or a tensor too many, "
    "takes a header that is no number for 0, an empty body for an empty text, and reads on when unpacking fails": """
        http json: ids: a number that is no INT32
        http json: empty body
        http binary: header no number
        http gzip that is none
        http deflate that is none
        grpc raw: one too many
    """,
    "classification means nothing for a vector without labels; Triton answers with its largest values": """
        http json: classification
        grpc classification
    """,
    "there is no shared memory here, and registering it says so (501, UNIMPLEMENTED)": """
        http system memory register
        http system memory register, nothing
        http cuda memory register
        http cuda memory register, nothing
        grpc SystemSharedMemoryRegister
    """,
    "a config is what its file says: no optimization and model.py that nothing here would follow; "
    "max_inflight_requests is a field of later versions of the protocol": """
        http config of tokenizer
        http config of sentence_transformer
        http config of embedding_pipeline
        http version 1/config
    """,
    "an answer is packed for clients that name one encoding, not for those that list all they could read: vectors hardly shrink": """
        http several encodings accepted
    """,
    "HEAD is answered like GET": """
        http live by HEAD
    """,
}

KNOWN = {line.strip(): reason for reason, names in REASONS.items() for line in names.splitlines() if line.strip()}

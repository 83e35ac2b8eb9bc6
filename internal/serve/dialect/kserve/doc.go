// Package kserve is the KServe v2 inference protocol with Triton's extensions:
// it turns an HTTP body (JSON, or JSON with raw tensors behind it) or a gRPC
// message into one Request, and a Response into either. All tensors are in their
// binary form, whatever form they came in.
//
// Names and shapes of tensors mean nothing here: what a model wants of them the
// server checks. Converters are pure. Messages follow those of the reference
// server (src/http_server.cc, src/grpc/infer_handler.cc), which clients match.
//
// Invariant: no body makes a decoder panic or allocate more than a small
// multiple of its size.
package kserve

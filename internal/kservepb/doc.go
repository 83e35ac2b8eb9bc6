// Package kservepb holds the messages and the service of the KServe v2 protocol
// with Triton's extensions, as both the server and the benchmark speak it. It is
// generated from the definitions beside it and holds no behaviour.
package kservepb

//go:generate go run -C gen . ..

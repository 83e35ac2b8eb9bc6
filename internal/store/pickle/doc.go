// Package pickle reads the checkpoints that torch.save writes (pytorch_model.bin)
// and never runs anything: a pickle is a program, and this is a machine for the few
// of its instructions that a dictionary of tensors needs. It knows eleven functions
// and classes by name; any other instruction or name is an error that says which.
//
// The package knows the archive of PyTorch 1.6 and later, a zip whose data.pkl names
// the tensors and whose data/ holds their bytes, and the pickles in a row of the
// versions before. It does not know models: what it reads it can write as
// safetensors, tensor by tensor.
//
// Invariants: no input makes it panic, allocate more than a few times its own size,
// or read outside the file.
package pickle

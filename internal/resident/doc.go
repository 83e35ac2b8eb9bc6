// Package resident keeps what is large and slow to open, such as a model, in
// memory while somebody uses it, and as long after that as there is room.
//
// A Set opens each of its values at most once at a time, however many ask for it,
// counts who uses it, and closes the one that was used least recently when the
// room is wanted. It is not aware of what the values are or of names that mean the
// same.
//
// Invariants: no value is closed while it is in use; the values in memory, the one
// being opened included as far as its size is known beforehand, take no more than
// Options.Limit; whoever asks for a value that had to go waits until it is back,
// and gets no error for it; nobody waits for ever behind users who come and go.
package resident

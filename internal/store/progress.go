package store

// Progress is told of downloads. Its methods are called from several goroutines.
type Progress interface {
	// Begin announces a download of total bytes.
	Begin(label string, total int64) Task
}

// Task is one download under way.
type Task interface {
	// Add says that n more bytes are there; n is negative when a server's answer
	// made bytes worthless.
	Add(n int64)
	// End says that no more will come; ok is false when it failed.
	End(ok bool)
}

// silent is the Progress of nobody.
type silent struct{}

func (silent) Begin(string, int64) Task { return silent{} }
func (silent) Add(int64)                {}
func (silent) End(bool)                 {}

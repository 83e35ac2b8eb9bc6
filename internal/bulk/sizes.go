package bulk

// sizes bound what is in memory.
type sizes struct {
	// A chunk is what is encoded at once: many texts, so that the engine's blocks are
	// full, and few, so that what is in flight is little.
	chunkRows, chunkBytes int
	// A piece is what is written at once. It ends when it is so large, or when no more
	// work is to be lost; but not with fewer rows than a group of rows in a Parquet file
	// should have.
	pieceBytes, pieceRows int
}

var usual = sizes{chunkRows: 128, chunkBytes: 1 << 20, pieceBytes: 16 << 20, pieceRows: 1024}

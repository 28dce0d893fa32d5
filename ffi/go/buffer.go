package flatssl

import "sync"

// Buffers are borrowed for one call. An idle connection keeps one, in the Read that waits: it is as
// large as what the carrier had last, at first small.
const (
	pieceSize = 64 << 10 // plaintext encrypted at once: four records
	overhead  = 512      // at most, of encrypting it
)

var (
	small  = bufferPool(4 << 10)
	record = bufferPool(16<<10 + overhead)
	large  = bufferPool(pieceSize + overhead)
)

// poolFor returns the pool of the smallest buffers for so many bytes and what encrypting them adds.
func poolFor(size int) *sync.Pool {
	switch {
	case size <= 4<<10-overhead:
		return &small
	case size <= 16<<10:
		return &record
	}
	return &large
}

func bufferPool(size int) sync.Pool {
	return sync.Pool{New: func() interface{} {
		buf := make([]byte, size)
		return &buf
	}}
}

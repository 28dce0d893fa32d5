package flatssl

import "sync"

// An idle connection keeps a small buffer, in the Read that waits. Once the carrier has filled it,
// the next is large. Both are borrowed for one call.
const (
	smallSize = 4 << 10
	pieceSize = 64 << 10        // plaintext encrypted at once: four records
	largeSize = pieceSize + 512 // the same, encrypted
)

var (
	small = bufferPool(smallSize)
	large = bufferPool(largeSize)
)

func bufferPool(size int) sync.Pool {
	return sync.Pool{New: func() interface{} {
		buf := make([]byte, size)
		return &buf
	}}
}

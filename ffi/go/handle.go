package flatssl

// #cgo pkg-config: flatssl
// #include <flatssl.h>
import "C"

import (
	"runtime"
	"unsafe"
)

// An answer is what each function of the library returns: negative for a failure, which it names.
type answer = C.int64_t

// A handle is an object of the library. It is closed by close or when nobody refers to it any
// more. The library refuses a number that is closed and never uses one twice, so it stays in place.
type handle struct {
	id C.fssl_handle
}

// call ends every call of C. The library keeps 1,024 records of failures; a goroutine that had to
// wait for its turn may find its own overwritten. As a call that failed has changed nothing, it is
// made again to fail anew.
func call(do func() answer) (answer, error) {
	for again := 8; ; again-- {
		n := do()
		if n >= 0 {
			return n, nil
		}
		err, whole := failure(n)
		if whole || again == 0 {
			return 0, err
		}
	}
}

// call is a call on a handle, which it keeps from being closed until then.
func (h *handle) call(do func() answer) (int, error) {
	n, err := call(do)
	runtime.KeepAlive(h)
	return int(n), err
}

// own takes over the handle that a call makes; nil for 0, which stands for no object.
func own(do func() answer) (*handle, error) {
	n, err := call(do)
	if err != nil || n == 0 {
		return nil, err
	}
	h := &handle{n}
	runtime.SetFinalizer(h, (*handle).close)
	return h, nil
}

func (h *handle) close() {
	runtime.SetFinalizer(h, nil)
	C.fssl_handle_close(h.id, nil)
}

// lend gives C the bytes of a slice for the time of one call; NULL for none.
func lend(data []byte) (*C.uint8_t, C.int64_t) {
	if len(data) == 0 {
		return nil, 0
	}
	return (*C.uint8_t)(unsafe.Pointer(&data[0])), C.int64_t(len(data))
}

// lendText is lend for text.
func lendText(said string) (*C.char, C.int64_t) {
	data, n := lend([]byte(said))
	return (*C.char)(unsafe.Pointer(data)), n
}

// fetch gets what the library writes into a buffer, however long it is; nothing where it fails.
func fetch(get func(buf *C.uint8_t, cap C.int64_t) answer) []byte {
	data := make([]byte, 256)
	n := get(lend(data))
	if n == -C.FSSL_E_BUFFER {
		data = make([]byte, get(nil, 0))
		n = get(lend(data))
	}
	if n < 0 {
		return nil
	}
	return data[:n]
}

// fetchText is fetch for text.
func fetchText(get func(buf *C.char, cap C.int64_t) answer) string {
	return string(fetch(func(buf *C.uint8_t, cap C.int64_t) answer {
		return get((*C.char)(unsafe.Pointer(buf)), cap)
	}))
}

//go:build go1.24

package flatssl

// The calls that move data keep no pointer and call nobody back: their arguments may stay on the
// goroutine's stack.

// #cgo noescape fssl_conn_pump
// #cgo nocallback fssl_conn_pump
// #cgo noescape fssl_conn_seal
// #cgo nocallback fssl_conn_seal
// #cgo noescape fssl_conn_bio_read
// #cgo nocallback fssl_conn_bio_read
// #cgo nocallback fssl_conn_want
// #include <flatssl.h>
import "C"

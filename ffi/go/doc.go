// Package flatssl is TLS by OpenSSL, through libflatssl, in the shape of crypto/tls: the same
// names, the same meaning, another engine.
//
//	conn, err := flatssl.Dial("tcp", "example.org:443", nil)
//	listener, err := flatssl.Listen("tcp", ":443", &flatssl.Config{Certificates: certificates})
//
// A Conn is a net.Conn over any other net.Conn, its carrier. The library also knows sockets, but a
// call of C that waits for one holds a thread of the operating system until it returns: 10,000 idle
// connections would be 10,000 threads, and a deadline or Close could not reach them. So the carrier
// is read and written by Go, whose poller waits without a thread, and the library is handed bytes:
// a call of it computes and returns, and never waits for a peer. Deadlines are the carrier's own;
// they may be changed while a call waits, and Close wakes whoever does.
//
// Everything may be called from any goroutine. An error is known by the result of the call that
// failed, not by the thread it ran on, so no goroutine is locked to a thread. C keeps no pointer
// into Go's memory.
//
// pkg-config has to find the library. A program's go.mod names this folder:
//
//	go mod edit -require flatssl@v0.0.0 -replace flatssl=<flatssl>/ffi/go
//
// # net/http
//
// A Listener is served by http.Serve, which fills Request.TLS from Conn.ConnectionState (from Go
// 1.26). Dialer.DialContext is what http.Transport.DialTLSContext wants. net/http speaks HTTP/2
// only on a connection of crypto/tls itself, so both speak HTTP/1.1 here.
package flatssl

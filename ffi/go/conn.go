package flatssl

// #include <flatssl.h>
import "C"

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a TLS connection over a carrier. Any goroutines may call any of its methods at once.
type Conn struct {
	carrier net.Conn
	handle  *handle // of a connection on memory; nil if none could be made
	failed  error   // why not
	choose  func(*tls.ClientHelloInfo) (*Config, error)
	refusal error // what choose said

	handshaking sync.Mutex
	established atomic.Bool
	closed      atomic.Bool
	sending     atomic.Int32 // calls that may be waiting to send: Close does not wait for them

	in       sync.Mutex // held by whom the carrier is read for
	expected int        // what the carrier may have next, as it had last

	out      sync.Mutex // held from taking ciphertext until it is written: it stays in order
	unsent   []byte     // what the carrier did not take before its deadline
	flushing atomic.Bool

	deadlines                   sync.Mutex
	readDeadline, writeDeadline deadline
}

// Client makes the client's end of a connection on a carrier. What is wrong with the Config, its
// handshake tells.
func Client(carrier net.Conn, config *Config) *Conn {
	return newConn(carrier, config, "")
}

// Server makes the server's end.
func Server(carrier net.Conn, config *Config) *Conn {
	c := &Conn{carrier: carrier}
	c.failed = c.make(config, true)
	if c.failed == nil && config.GetConfigForClient != nil {
		c.choose = config.GetConfigForClient
		c.failed = c.ask()
	}
	return c
}

func newConn(carrier net.Conn, config *Config, host string) *Conn {
	c := &Conn{carrier: carrier}
	c.failed = c.make(config, false)
	if config != nil && config.ServerName != "" {
		host = config.ServerName
	}
	if c.failed == nil && host != "" {
		name, n := lendText(host)
		_, c.failed = c.handle.call(func() answer {
			return C.fssl_conn_set_host(c.handle.id, name, n, nil)
		})
	}
	return c
}

func (c *Conn) make(config *Config, server bool) error {
	if config == nil {
		config = &defaults
	}
	ctx, err := config.context(server)
	if err != nil {
		return err
	}
	c.handle, err = own(func() answer { return C.fssl_conn_new_memory(ctx.id, nil) })
	runtime.KeepAlive(ctx)
	return err
}

// ---- the handshake ----

// Handshake runs the handshake if it has not run. Read and Write do so too.
func (c *Conn) Handshake() error {
	return c.HandshakeContext(context.Background())
}

// HandshakeContext is Handshake until the context ends, which closes the connection.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.established.Load() || ctx.Done() == nil {
		return c.handshake()
	}
	done := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		select {
		case <-ctx.Done():
			c.Close()
			ended <- ctx.Err()
		case <-done:
			ended <- nil
		}
	}()
	err := c.handshake()
	close(done)
	if ctxErr := <-ended; ctxErr != nil {
		return ctxErr
	}
	return err
}

func (c *Conn) handshake() error {
	if c.established.Load() {
		return nil
	}
	if c.failed != nil {
		return c.failed
	}
	c.sending.Add(1)
	defer c.sending.Add(-1)
	c.handshaking.Lock()
	defer c.handshaking.Unlock()
	if c.established.Load() {
		return nil
	}
	if _, err := c.advance(nil, c.flush); err != nil {
		return err
	}
	c.established.Store(true)
	return nil
}

// ready is what Read and Write begin with.
func (c *Conn) ready(limit *deadline) error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	if err := limit.passed(); err != nil {
		return err
	}
	return c.handshake()
}

// ---- reading ----

// Read reads plaintext, after the handshake. It returns io.EOF after the peer's close_notify and
// io.ErrUnexpectedEOF where the stream ended without one.
func (c *Conn) Read(b []byte) (int, error) {
	if err := c.ready(&c.readDeadline); err != nil || len(b) == 0 {
		return 0, err
	}
	c.in.Lock()
	defer c.in.Unlock()
	return c.advance(b, c.flushSoon)
}

// advance reads plaintext into b or, where b is nil, brings the handshake to its end, and reads the
// carrier as often as it has to. What is due to the peer goes out before each wait and at the end;
// where there is plaintext that is the next call's to see to.
func (c *Conn) advance(b []byte, flush func() error) (int, error) {
	result, _ := c.pump(nil, b)
	for result == -C.FSSL_E_WANT_READ || result == -C.FSSL_E_WANT_CLIENT_HELLO {
		if result == -C.FSSL_E_WANT_CLIENT_HELLO {
			c.answerHello()
			result, _ = c.pump(nil, b)
			continue
		}
		if err := flush(); err != nil {
			return 0, err
		}
		var err error
		if result, err = c.receive(b); err != nil {
			return 0, c.orClosed(err)
		}
	}
	if result > 0 {
		return int(result), nil
	}
	sent := flush()
	if result == 0 {
		return 0, sent
	}
	n, err := c.handle.call(func() answer {
		result, _ = c.pump(nil, b)
		return result
	})
	if c.refusal != nil {
		err = c.refusal
	}
	return n, c.orClosed(err)
}

// receive reads the carrier once, and returns what the library makes of it.
func (c *Conn) receive(b []byte) (answer, error) {
	pool := poolFor(c.expected)
	buf := pool.Get().(*[]byte)
	defer pool.Put(buf)
	n, err := c.carrier.Read(*buf)
	if c.expected = n; n == len(*buf) {
		c.expected = 2 * n // there may be more
	}
	if n == 0 && err == io.EOF {
		C.fssl_conn_bio_shutdown(c.handle.id, nil)
		result, _ := c.pump(nil, b)
		return result, nil
	}
	if n == 0 && err != nil {
		return 0, err
	}
	result, taken := c.pump((*buf)[:n], b)
	if taken < n { // as the library asked for more, it had room but no memory
		c.carrier.Close()
		return 0, CodeMemory
	}
	return result, nil
}

// pump hands ciphertext to the library, which keeps what it does not yet need, and tells how much
// it took.
func (c *Conn) pump(packet, b []byte) (result answer, n int) {
	var taken, given C.int64_t
	data, size := lend(packet)
	plain, room := lend(b)
	result = C.fssl_conn_pump(c.handle.id, data, size, &taken, plain, room, nil, 0, &given, nil)
	runtime.KeepAlive(c)
	return result, int(taken)
}

// orClosed prefers the reason that the caller knows to its consequence.
func (c *Conn) orClosed(err error) error {
	if err != nil && c.closed.Load() {
		return net.ErrClosed
	}
	return err
}

// ---- writing ----

// Write sends plaintext, after the handshake. Where it fails, the bytes that it counts are on their
// way: a Write past its deadline may be followed by another, of the rest.
func (c *Conn) Write(b []byte) (int, error) {
	c.sending.Add(1)
	defer c.sending.Add(-1)
	if err := c.ready(&c.writeDeadline); err != nil {
		return 0, err
	}
	c.out.Lock()
	defer c.out.Unlock()
	if len(c.unsent) > 0 {
		if err := c.drain(); err != nil {
			return 0, c.orClosed(err)
		}
	}
	sent := 0
	for sent < len(b) {
		n, err := c.send(b[sent:])
		sent += n
		if err != nil {
			return sent, c.orClosed(err)
		}
	}
	return sent, nil
}

// send encrypts a piece of b and writes it to the carrier. c.out is held, as for drain.
func (c *Conn) send(b []byte) (int, error) {
	if len(b) > pieceSize {
		b = b[:pieceSize]
	}
	pool := poolFor(len(b))
	buf := pool.Get().(*[]byte)
	defer pool.Put(buf)
	for {
		result, err := c.seal(b, *buf)
		if result >= 0 {
			return int(result), err
		}
		if err != nil {
			return 0, err
		}
		if result != -C.FSSL_E_WANT_READ {
			return c.handle.call(func() answer {
				result, _ := c.seal(b, *buf)
				return result
			})
		}
		if err := c.awaitMessage(); err != nil {
			return 0, err
		}
	}
}

// seal encrypts b by way of buf and writes to the carrier what is due to the peer.
func (c *Conn) seal(b, buf []byte) (answer, error) {
	var given C.int64_t
	data, n := lend(b)
	out, room := lend(buf)
	result := C.fssl_conn_seal(c.handle.id, data, n, out, room, &given, nil)
	err := c.carry(buf[:given])
	if err == nil && given == room {
		err = c.drain()
	}
	return result, err
}

// carry writes to the carrier, and keeps what that does not take.
func (c *Conn) carry(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	n, err := c.carrier.Write(data)
	if err != nil {
		c.unsent = append([]byte(nil), data[n:]...)
	}
	return err
}

// drain writes to the carrier what is due to the peer.
func (c *Conn) drain() error {
	if len(c.unsent) > 0 {
		n, err := c.carrier.Write(c.unsent)
		if c.unsent = c.unsent[n:]; err != nil {
			return err
		}
	}
	c.unsent = nil
	buf := small.Get().(*[]byte)
	defer small.Put(buf)
	data, room := lend(*buf)
	for {
		n := C.fssl_conn_bio_read(c.handle.id, data, room, nil)
		runtime.KeepAlive(c)
		if n <= 0 {
			return nil
		}
		if err := c.carry((*buf)[:n]); err != nil || n < room {
			return err
		}
	}
}

func (c *Conn) flush() error {
	c.out.Lock()
	defer c.out.Unlock()
	return c.orClosed(c.drain())
}

// flushSoon sends what a Read owes the peer, such as an alert. The Read does not wait for it, since
// the write deadline is not its own.
func (c *Conn) flushSoon() error {
	want := C.fssl_conn_want(c.handle.id, nil)
	if want > 0 && want&C.FSSL_WANT_WRITE != 0 && c.flushing.CompareAndSwap(false, true) {
		go func() {
			c.out.Lock()
			defer c.out.Unlock()
			c.flushing.Store(false) // from here on a Read may owe more
			c.drain()
		}()
	}
	return nil
}

// awaitMessage waits for the rest of a message of the handshake (a long ticket) of which a part
// came; OpenSSL sends nothing until then. Either a Read gets it or this does, for short whiles, as
// the read deadline and who reads may change meanwhile.
func (c *Conn) awaitMessage() error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	if err := c.writeDeadline.passed(); err != nil {
		return err
	}
	if err := c.drain(); err != nil {
		return err
	}
	if !c.in.TryLock() {
		time.Sleep(shortWhile)
		return nil
	}
	defer c.in.Unlock()
	c.carrier.SetReadDeadline(time.Now().Add(shortWhile))
	defer c.restoreReadDeadline()
	_, err := c.receive(nil)
	if isTimeout(err) {
		return nil
	}
	return err
}

package flatssl_test

// Two ends over a real socket: one is ours, or both.

import (
	"crypto/tls"
	"io"
	"net"
	"os/exec"
	"testing"
	"time"

	"flatssl"
)

const patience = 20 * time.Second // a test that waits longer hangs

// end is what both engines' connections have.
type end interface {
	net.Conn
	Handshake() error
	CloseWrite() error
	ConnectionState() tls.ConnectionState
}

// sockets returns both ends of a TCP connection.
func sockets(t testing.TB) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	near, err = net.Dial("tcp", listener.Addr().String())
	must(t, err)
	far, err = listener.Accept()
	must(t, err)
	return near, far
}

func ourClient(config *flatssl.Config) func(net.Conn) end {
	return func(carrier net.Conn) end { return flatssl.Client(carrier, config) }
}

func ourServer(config *flatssl.Config) func(net.Conn) end {
	return func(carrier net.Conn) end { return flatssl.Server(carrier, config) }
}

func theirClient(config *tls.Config) func(net.Conn) end {
	return func(carrier net.Conn) end { return tls.Client(carrier, config) }
}

func theirServer(config *tls.Config) func(net.Conn) end {
	return func(carrier net.Conn) end { return tls.Server(carrier, config) }
}

// pair makes both ends over a socket; both are closed when the test ends.
func pair(t testing.TB, client, server func(net.Conn) end) (end, end) {
	t.Helper()
	near, far := sockets(t)
	c, s := client(near), server(far)
	t.Cleanup(func() {
		near.Close() // no farewell: the other end may not read
		far.Close()
		c.Close()
		s.Close()
	})
	return c, s
}

// greeted is pair with the handshake done.
func greeted(t testing.TB, client, server func(net.Conn) end) (end, end) {
	t.Helper()
	c, s := pair(t, client, server)
	cerr, serr := handshakes(c, s)
	must(t, cerr)
	must(t, serr)
	return c, s
}

// ours is greeted with flatssl at both ends.
func ours(t testing.TB) (end, end) {
	t.Helper()
	world(t)
	return greeted(t,
		ourClient(&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"}),
		ourServer(&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}}))
}

// handshakes runs both, and a round trip after it: in TLS 1.3 a client learns only then that its
// certificate was refused.
func handshakes(client, server end) (clientErr, serverErr error) {
	done := make(chan error, 1)
	deadline := time.Now().Add(patience)
	client.SetDeadline(deadline)
	server.SetDeadline(deadline)
	go func() {
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte{1})
		}
		if err != nil {
			server.Close()
		}
		done <- err
	}()
	clientErr = client.Handshake()
	if clientErr == nil {
		_, clientErr = io.ReadFull(client, make([]byte, 1))
	}
	if clientErr != nil {
		client.Close()
	}
	serverErr = <-done
	client.SetDeadline(time.Time{})
	server.SetDeadline(time.Time{})
	return clientErr, serverErr
}

// say writes a text at one end and reads it at the other.
func say(t testing.TB, from, to end, text string) {
	t.Helper()
	from.SetWriteDeadline(time.Now().Add(patience))
	to.SetReadDeadline(time.Now().Add(patience))
	_, err := from.Write([]byte(text))
	must(t, err)
	heard := make([]byte, len(text))
	_, err = io.ReadFull(to, heard)
	must(t, err)
	if string(heard) != text {
		t.Fatalf("heard %q, said %q", heard, text)
	}
	from.SetWriteDeadline(time.Time{})
	to.SetReadDeadline(time.Time{})
}

// run runs a program to its end and returns what it wrote.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	output, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
	return string(output)
}

package flatssl_test

// What net.Conn promises of deadlines, at both ends of a connection and on either carrier.

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"flatssl"
)

const (
	soon  = 30 * time.Millisecond
	slack = 5 * time.Second // by which a busy machine may be late
)

func expectTimeout(t *testing.T, err error) {
	t.Helper()
	var ne net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
}

// within runs a call and checks that it takes as long as it should.
func within(t *testing.T, least time.Duration, call func() error) error {
	t.Helper()
	start := time.Now()
	err := call()
	took := time.Since(start)
	if took < least/2 || took > least+slack { // the deadline was set before the clock was
		t.Errorf("took %v, not %v", took, least)
	}
	return err
}

func readOne(c net.Conn) func() error {
	return func() error {
		_, err := c.Read(make([]byte, 1))
		return err
	}
}

// writeMuch fills what the peer does not read.
func writeMuch(c net.Conn) func() error {
	return func() error {
		for {
			if _, err := c.Write(make([]byte, 100_000)); err != nil {
				return err
			}
		}
	}
}

func TestDeadlines(t *testing.T) {
	past := func() time.Time { return time.Unix(1, 0) }
	cases := []struct {
		name  string
		set   func(net.Conn) error
		call  func(net.Conn) func() error
		least time.Duration
	}{
		{"read in the past", func(c net.Conn) error { return c.SetReadDeadline(past()) },
			readOne, 0},
		{"read now", func(c net.Conn) error { return c.SetReadDeadline(time.Now()) }, readOne, 0},
		{"read soon", func(c net.Conn) error { return c.SetReadDeadline(time.Now().Add(soon)) },
			readOne, soon},
		{"write in the past", func(c net.Conn) error { return c.SetWriteDeadline(past()) },
			writeMuch, 0},
		{"write soon", func(c net.Conn) error { return c.SetWriteDeadline(time.Now().Add(soon)) },
			writeMuch, soon},
		{"both, read", func(c net.Conn) error { return c.SetDeadline(time.Now().Add(soon)) },
			readOne, soon},
		{"both, write", func(c net.Conn) error { return c.SetDeadline(past()) }, writeMuch, 0},
	}
	for _, c := range cases {
		c := c
		t.Run(c.name, func(t *testing.T) {
			client, server := ours(t)
			must(t, c.set(client))
			expectTimeout(t, within(t, c.least, c.call(client)))
			expectTimeout(t, within(t, 0, c.call(client))) // it stays in force
			must(t, client.SetDeadline(time.Time{}))
			say(t, server, client, "after a timeout")
		})
	}
}

// A deadline that is set while a call waits ends it; one that is put off lets it go on.
func TestDeadlineChanges(t *testing.T) {
	for name, call := range map[string]func(net.Conn) func() error{
		"read": readOne, "write": writeMuch} {
		t.Run(name, func(t *testing.T) {
			client, _ := ours(t)
			time.AfterFunc(soon, func() { client.SetDeadline(time.Now()) })
			expectTimeout(t, within(t, soon, call(client)))
			client.SetDeadline(time.Now().Add(soon))
			time.AfterFunc(soon/2, func() { client.SetDeadline(time.Now().Add(4 * soon)) })
			expectTimeout(t, within(t, 4*soon, call(client)))
		})
	}
}

// Plaintext that has come already is kept for after the deadline, not returned past it.
func TestDeadlineKeepsPlaintext(t *testing.T) {
	client, server := ours(t)
	say(t, server, client, "a")
	_, err := server.Write([]byte("bc"))
	must(t, err)
	must(t, readOne(client)())
	client.SetReadDeadline(time.Now())
	expectTimeout(t, readOne(client)())
	client.SetReadDeadline(time.Time{})
	heard := make([]byte, 1)
	_, err = io.ReadFull(client, heard)
	must(t, err)
	if heard[0] != 'c' {
		t.Errorf("heard %q", heard)
	}
}

// After a Write past its deadline the rest can be written, and no byte is lost or doubled.
func TestWriteGoesOnAfterDeadline(t *testing.T) {
	client, server := ours(t)
	data := noise(8 << 20)
	heard := make(chan []byte, 1)
	timeouts := 0
	go func() {
		time.Sleep(4 * soon)
		all := make([]byte, len(data))
		io.ReadFull(server, all)
		heard <- all
	}()
	for sent := 0; sent < len(data); {
		client.SetWriteDeadline(time.Now().Add(soon))
		n, err := client.Write(data[sent:])
		sent += n
		if err != nil {
			expectTimeout(t, err)
			timeouts++
		}
	}
	client.SetWriteDeadline(time.Time{})
	must(t, client.CloseWrite()) // what an expired Write left behind goes out before it
	if timeouts == 0 {
		t.Error("no deadline was reached")
	}
	if string(<-heard) != string(data) {
		t.Error("other bytes than were written")
	}
}

// A handshake with a silent peer ends at the deadline, and goes on once the peer speaks.
func TestHandshakeDeadline(t *testing.T) {
	world(t)
	near, far := sockets(t)
	defer far.Close()
	client := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	defer client.Close()
	client.SetDeadline(time.Now().Add(soon))
	expectTimeout(t, within(t, soon, client.Handshake))
	client.SetDeadline(time.Now().Add(soon))
	within(t, soon, func() error {
		if client.ConnectionState().HandshakeComplete {
			t.Error("a state without a handshake")
		}
		return nil
	})
	server := flatssl.Server(far,
		&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	cerr, serr := handshakes(client, server)
	must(t, cerr)
	must(t, serr)
	say(t, client, server, "late")
}

// A carrier need not be a socket.
func TestPipe(t *testing.T) {
	world(t)
	near, far := net.Pipe()
	client := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	server := flatssl.Server(far,
		&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	cerr, serr := handshakes(client, server)
	must(t, cerr)
	must(t, serr)
	go io.WriteString(server, "through a pipe")
	heard := make([]byte, 14)
	_, err := io.ReadFull(client, heard)
	must(t, err)
	client.SetReadDeadline(time.Now().Add(soon))
	expectTimeout(t, within(t, soon, readOne(client)))
	go io.Copy(io.Discard, far)
	must(t, client.Close())
}

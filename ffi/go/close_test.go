package flatssl_test

// How connections end.

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"flatssl"
)

// Close wakes whoever waits, and every later call says that it is closed.
func TestCloseWakes(t *testing.T) {
	for name, call := range map[string]func(net.Conn) func() error{
		"read": readOne, "write": writeMuch} {
		t.Run(name, func(t *testing.T) {
			client, _ := ours(t)
			time.AfterFunc(soon, func() { client.Close() })
			err := within(t, soon, call(client))
			for i := 0; i < 2; i++ {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("got %v", err)
				}
				err = call(client)()
			}
			for _, call := range []func() error{client.Close, client.CloseWrite} {
				if err := call(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			}
		})
	}
}

func TestCloseWakesHandshake(t *testing.T) {
	world(t)
	near, _ := sockets(t)
	client := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	time.AfterFunc(soon, func() { client.Close() })
	if err := within(t, soon, client.Handshake); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// The end of a context closes the connection whose handshake it was for.
func TestHandshakeContext(t *testing.T) {
	world(t)
	near, _ := sockets(t)
	client := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	err := within(t, soon, func() error { return client.HandshakeContext(ctx) })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := readOne(client)(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("then %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := client.HandshakeContext(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("before the beginning: %v", err)
	}
}

// ends are both engines, to close against.
func ends(t *testing.T) map[string][2]func(net.Conn) end {
	world(t)
	clients := map[string]func(net.Conn) end{
		"ours":   ourClient(&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"}),
		"theirs": theirClient(&tls.Config{RootCAs: trusted.pool, ServerName: "localhost"}),
	}
	servers := map[string]func(net.Conn) end{
		"ours 1.3": ourServer(&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}}),
		"ours 1.2": ourServer(&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours},
			MaxVersion: tls.VersionTLS12}),
		"theirs 1.3": theirServer(&tls.Config{Certificates: []tls.Certificate{serverID.theirs}}),
		"theirs 1.2": theirServer(&tls.Config{Certificates: []tls.Certificate{serverID.theirs},
			MaxVersion: tls.VersionTLS12}),
	}
	all := map[string][2]func(net.Conn) end{}
	for clientName, client := range clients {
		for serverName, server := range servers {
			all[clientName+" to "+serverName] = [2]func(net.Conn) end{client, server}
		}
	}
	return all
}

// Each direction ends on its own, and an end is io.EOF.
func TestHalfClose(t *testing.T) {
	for name, makers := range ends(t) {
		t.Run(name, func(t *testing.T) {
			client, server := greeted(t, makers[0], makers[1])
			for _, way := range [][2]end{{client, server}, {server, client}} {
				from, to := way[0], way[1]
				must(t, from.CloseWrite())
				to.SetReadDeadline(time.Now().Add(patience))
				for i := 0; i < 2; i++ {
					if err := readOne(to)(); err != io.EOF {
						t.Fatalf("got %v, want io.EOF", err)
					}
				}
				if _, err := from.Write([]byte("more")); err == nil {
					t.Error("written after CloseWrite")
				}
				if from == client {
					say(t, server, client, "the other way is open")
				}
			}
		})
	}
}

// Close is told from a stream that was cut.
func TestCloseAndCut(t *testing.T) {
	for name, makers := range ends(t) {
		t.Run(name, func(t *testing.T) {
			client, server := greeted(t, makers[0], makers[1])
			must(t, client.Close())
			server.SetReadDeadline(time.Now().Add(patience))
			if err := readOne(server)(); err != io.EOF {
				t.Errorf("closed: %v", err)
			}
			if _, ok := server.(*tls.Conn); ok {
				return // crypto/tls does not tell the two apart between records
			}
			client, server = greeted(t, makers[0], makers[1])
			cut := client.(interface{ NetConn() net.Conn }).NetConn()
			must(t, cut.(*net.TCPConn).CloseWrite())
			server.SetReadDeadline(time.Now().Add(patience))
			for i := 0; i < 2; i++ {
				if err := readOne(server)(); err != io.ErrUnexpectedEOF {
					t.Errorf("cut: %v", err)
				}
			}
		})
	}
}

// A peer that ends before or during the handshake gives no success, and no clean end.
func TestCutHandshake(t *testing.T) {
	world(t)
	near, far := sockets(t)
	client := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	far.Close()
	if err := client.Handshake(); err == nil || err == io.EOF {
		t.Errorf("got %v", err)
	}
	near, far = sockets(t)
	server := flatssl.Server(far,
		&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	near.Write([]byte{22, 3, 1, 2, 0})
	near.(*net.TCPConn).CloseWrite()
	if err := server.Handshake(); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
	if state := server.ConnectionState(); state.HandshakeComplete {
		t.Error("complete")
	}
	server.Close()
	client.Close()
}

// Something other than TLS is refused, and its sender told.
func TestNotTLS(t *testing.T) {
	world(t)
	near, far := sockets(t)
	defer near.Close()
	server := flatssl.Server(far,
		&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	near.Write([]byte{22, 3, 1, 0, 4, 99, 0, 0, 0})
	if err := server.Handshake(); !errors.Is(err, flatssl.CodeTLS) {
		t.Errorf("got %v", err)
	}
	server.Close()
	near.SetReadDeadline(time.Now().Add(patience))
	alert, _ := io.ReadAll(near)
	if len(alert) != 7 || alert[0] != 21 {
		t.Errorf("got % x, want an alert", alert)
	}
}

// A record that was changed on its way ends the connection, and the peer hears of it from the Read.
func TestBrokenRecord(t *testing.T) {
	for name, makers := range ends(t) {
		t.Run(name, func(t *testing.T) {
			client, server := greeted(t, makers[0], makers[1])
			if _, ok := client.(*flatssl.Conn); !ok {
				client, server = server, client
			}
			if _, ok := client.(*flatssl.Conn); !ok {
				return
			}
			wire := server.(interface{ NetConn() net.Conn }).NetConn()
			record := append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)
			_, err := wire.Write(record)
			must(t, err)
			for i := 0; i < 2; i++ {
				if err := readOne(client)(); !errors.Is(err, flatssl.CodeTLS) {
					t.Errorf("got %v", err)
				}
			}
			server.SetReadDeadline(time.Now().Add(patience))
			err = readOne(server)()
			if err == nil || !strings.Contains(err.Error(), "bad record") {
				t.Errorf("the peer got %v", err)
			}
			if _, err := client.Write([]byte("x")); !errors.Is(err, flatssl.CodeTLS) {
				t.Errorf("then Write: %v", err)
			}
		})
	}
}

package flatssl_test

// One connection and many goroutines.

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

const messageSize = 100_000

// Each Write arrives as a whole, whoever else writes.
func TestWritesAreWhole(t *testing.T) {
	client, server := ours(t)
	const writers, messages = 8, 20
	for i := 0; i < writers; i++ {
		message := bytes.Repeat([]byte{byte('a' + i)}, messageSize)
		go func() {
			for i := 0; i < messages; i++ {
				if _, err := client.Write(message); err != nil {
					t.Errorf("Write: %v", err)
				}
			}
		}()
	}
	server.SetReadDeadline(time.Now().Add(patience))
	message := make([]byte, messageSize)
	seen := map[byte]int{}
	for i := 0; i < writers*messages; i++ {
		_, err := io.ReadFull(server, message)
		must(t, err)
		if bytes.Count(message, message[:1]) != messageSize {
			t.Fatal("two messages are mixed")
		}
		seen[message[0]]++
	}
	for who, count := range seen {
		if count != messages {
			t.Errorf("%d messages of %c", count, who)
		}
	}
}

// Everything at once, with Close at any moment: each call ends, and its error says why.
func TestCloseAtAnyMoment(t *testing.T) {
	world(t)
	for round := 0; round < 50; round++ {
		client, server := ours(t)
		var wait sync.WaitGroup
		busy := func(call func() error) {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for {
					if err := call(); err != nil {
						expectEnd(t, err)
						return
					}
				}
			}()
		}
		for _, end := range []end{client, server} {
			end := end
			end.SetDeadline(time.Now().Add(patience))
			for i := 0; i < 2; i++ {
				busy(readOne(end))
				busy(func() error {
					_, err := end.Write(make([]byte, 10_000))
					return err
				})
			}
			busy(func() error {
				end.ConnectionState()
				return end.SetReadDeadline(time.Now().Add(patience))
			})
		}
		time.Sleep(time.Duration(round) * 200 * time.Microsecond)
		client.Close()
		time.Sleep(time.Duration(round) * 20 * time.Microsecond)
		server.Close()
		wait.Wait()
	}
}

// expectEnd takes what a connection may end with while it is closed at both ends.
func expectEnd(t *testing.T, err error) {
	t.Helper()
	for _, known := range []error{net.ErrClosed, io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE,
		syscall.ECONNRESET} {
		if errors.Is(err, known) {
			return
		}
	}
	t.Errorf("ended with %v", err)
}

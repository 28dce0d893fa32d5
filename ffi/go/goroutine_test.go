package flatssl_test

// Many goroutines at once.

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"flatssl"
)

const (
	goroutines = 1000
	rounds     = 10
)

// A thousand goroutines on eight threads fail in ways that bear each one's own number, and each
// gets the error of its own call.
func TestErrorsAreNotMixed(t *testing.T) {
	world(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := 0; i < goroutines; i++ {
		i := i
		wait.Add(1)
		go func() {
			defer wait.Done()
			<-start
			for round := 0; round < rounds; round++ {
				if wrong := failOnPurpose(i, round); wrong != nil {
					t.Errorf("goroutine %d: %v", i, wrong)
					return
				}
			}
		}()
	}
	close(start)
	wait.Wait()
}

// failOnPurpose makes one error and returns what is wrong with it.
func failOnPurpose(i, round int) error {
	name := fmt.Sprintf("group-%d-%d", i, round)
	cases := []struct {
		config flatssl.Config
		code   flatssl.Code
		data   string
	}{
		{flatssl.Config{Groups: name}, flatssl.CodeArgument, "'" + name + "'"},
		{flatssl.Config{MinVersion: 7}, flatssl.CodeArgument, "version"},
		{flatssl.Config{CipherList: name}, flatssl.CodeCipher, ""},
		{flatssl.Config{Certificates: []flatssl.Certificate{
			{Chain: serverID.ours.Chain, Key: clientID.ours.Key}}}, flatssl.CodeKeyMismatch, ""},
		{flatssl.Config{ServerName: "a\x00b"}, flatssl.CodeArgument, "host"},
	}
	c := &cases[(i+round)%len(cases)]
	near, far := net.Pipe()
	defer far.Close()
	err := flatssl.Client(near, &c.config).Handshake()
	var e *flatssl.Error
	if !errors.As(err, &e) || e.Code != c.code || len(e.Lines) == 0 {
		return fmt.Errorf("got %v, want %v", err, c.code.String())
	}
	for _, line := range e.Lines {
		if c.data == "" || strings.Contains(line.Data, c.data) {
			return nil
		}
	}
	return fmt.Errorf("%q says nothing of %s", e.Error(), c.data)
}

// Connections that wait take no thread each: a thousand of them, both ends waiting in Read.
func TestIdleConnectionsTakeNoThread(t *testing.T) {
	world(t)
	client := &flatssl.Config{Roots: trusted.pem, ServerName: "localhost"}
	server := &flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}}
	before := threads(t)
	var greeted, waiting sync.WaitGroup
	var all []*flatssl.Conn
	for i := 0; i < goroutines; i++ {
		near, far := net.Pipe()
		c, s := flatssl.Client(near, client), flatssl.Server(far, server)
		all = append(all, c, s)
		greeted.Add(1)
		waiting.Add(2)
		go func() {
			cerr, serr := handshakes(c, s)
			if cerr != nil || serr != nil {
				t.Errorf("handshake: %v, %v", cerr, serr)
			}
			greeted.Done()
			for _, end := range []*flatssl.Conn{c, s} {
				end := end
				go func() {
					defer waiting.Done()
					if err := readOne(end)(); !errors.Is(err, net.ErrClosed) && err != io.EOF {
						t.Errorf("woken by %v", err)
					}
				}()
			}
		}()
	}
	greeted.Wait()
	time.Sleep(soon)
	more := threads(t) - before
	t.Logf("%d threads more for %d connections", more, len(all))
	if more > goroutines/10 {
		t.Error("too many")
	}
	for _, c := range all {
		c.Close()
	}
	waiting.Wait()
}

func threads(t *testing.T) int {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip("no /proc here to count threads in")
	}
	return len(tasks)
}

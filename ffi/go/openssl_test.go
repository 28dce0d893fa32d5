package flatssl_test

// OpenSSL's own server at the other end, for what crypto/tls never sends: key updates, and messages
// of the handshake in several records.

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"flatssl"
)

// process is a running openssl s_server: what it is told on stdin it sends, what comes it prints.
type process struct {
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	address string
}

func openssl(t *testing.T, args ...string) *process {
	t.Helper()
	world(t)
	folder := t.TempDir()
	for name, data := range map[string][]byte{
		"ca": trusted.pem, "cert": serverID.ours.Chain, "key": serverID.ours.Key} {
		must(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	command := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0",
		"-naccept", "1", "-CAfile", "ca", "-cert", "cert", "-key", "key"}, args...)...)
	command.Dir = folder
	stdin, err := command.StdinPipe()
	must(t, err)
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	p := &process{stdin: stdin, stdout: bufio.NewReader(stdout)}
	p.address = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(p.hear(t, "ACCEPT"))
	return p
}

// hear returns the next line that holds a text.
func (p *process) hear(t *testing.T, text string) string {
	t.Helper()
	heard := make(chan string, 1)
	go func() {
		for {
			line, err := p.stdout.ReadString('\n')
			if err != nil || strings.Contains(line, text) {
				heard <- line
				return
			}
		}
	}()
	select {
	case line := <-heard:
		if !strings.Contains(line, text) {
			t.Fatalf("openssl ended without saying %q", text)
		}
		return line
	case <-time.After(patience):
		t.Fatalf("openssl did not say %q", text)
		return ""
	}
}

// Data flow on under new keys, of both ends.
func TestKeyUpdate(t *testing.T) {
	server := openssl(t, "-tls1_3")
	client, err := flatssl.Dial("tcp", server.address,
		&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	must(t, err)
	defer client.Close()
	client.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(client)
	for _, word := range []string{"first", "second", "third"} {
		io.WriteString(server.stdin, "K\n")
		time.Sleep(soon) // s_server takes a command that is alone in a read of its stdin
		io.WriteString(server.stdin, word+"\n")
		line, err := reader.ReadString('\n')
		must(t, err)
		if line != word+"\n" {
			t.Fatalf("heard %q", line)
		}
		_, err = io.WriteString(client, "after "+word+"\n")
		must(t, err)
		server.hear(t, "after "+word)
	}
}

// sluice lets records through, all or a number of them.
type sluice struct {
	lock    sync.Mutex
	changed *sync.Cond
	left    int // -1 for all
}

func newSluice() *sluice {
	s := &sluice{left: -1}
	s.changed = sync.NewCond(&s.lock)
	return s
}

func (s *sluice) set(left int) {
	s.lock.Lock()
	s.left = left
	s.changed.Broadcast()
	s.lock.Unlock()
}

func (s *sluice) pass() {
	s.lock.Lock()
	for s.left == 0 {
		s.changed.Wait()
	}
	if s.left > 0 {
		s.left--
	}
	s.lock.Unlock()
}

// through connects to an address by way of a sluice, which lets one record back after the client's
// last words of the handshake.
func through(t *testing.T, s *sluice, address string) net.Conn {
	t.Helper()
	far, err := net.Dial("tcp", address)
	must(t, err)
	near, inner := net.Pipe()
	t.Cleanup(func() { s.set(-1); far.Close(); inner.Close() })
	go func() {
		buf := make([]byte, 100_000)
		for i := 1; ; i++ {
			n, err := inner.Read(buf)
			if err != nil {
				return
			}
			if i == 2 {
				s.set(1)
			}
			far.Write(buf[:n])
		}
	}()
	go func() {
		header := make([]byte, 5)
		for {
			if _, err := io.ReadFull(far, header); err != nil {
				return
			}
			body := make([]byte, int(header[3])<<8|int(header[4]))
			io.ReadFull(far, body)
			s.pass()
			inner.Write(append(append([]byte(nil), header...), body...))
		}
	}()
	return near
}

// While half a ticket has come, OpenSSL sends nothing. A Write waits for the rest, whether a Read
// is under way or not, and obeys its deadline and Close.
func TestWriteBetweenHalvesOfTicket(t *testing.T) {
	for name, reading := range map[string]bool{"alone": false, "beside a Read": true} {
		t.Run(name, func(t *testing.T) {
			server := openssl(t, "-tls1_3", "-Verify", "1", "-max_send_frag", "512")
			s := newSluice()
			client := flatssl.Client(through(t, s, server.address), &flatssl.Config{
				Roots: trusted.pem, ServerName: "localhost",
				Certificates: []flatssl.Certificate{clientID.ours}})
			defer client.Close()
			must(t, client.Handshake())
			client.SetReadDeadline(time.Now().Add(4 * soon))
			expectTimeout(t, readOne(client)()) // takes in the first half
			client.SetReadDeadline(time.Time{})
			if reading {
				go readOne(client)()
			}
			writeOne := func() error {
				_, err := io.WriteString(client, "hello\n")
				return err
			}
			client.SetWriteDeadline(time.Now().Add(soon))
			expectTimeout(t, within(t, soon, writeOne))
			client.SetWriteDeadline(time.Now().Add(patience))
			time.AfterFunc(soon, func() { s.set(-1) })
			must(t, within(t, soon, writeOne))
			server.hear(t, "hello")
			if state := client.ConnectionState(); state.Version != tls.VersionTLS13 {
				t.Errorf("version %x", state.Version)
			}
		})
	}
}

// A peer (see protocol.h): flatssl from Go, or crypto/tls, by the first argument.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"flatssl"
)

const longest = 1 << 16 // what is written at once without a goroutine that reads

var sizes = map[string]int{"64": 64, "1k": 1 << 10, "16k": 1 << 14, "1m": 1 << 20}

var listener net.Listener

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// end is what both engines' connections have.
type end interface {
	net.Conn
	Handshake() error
	ConnectionState() tls.ConnectionState
}

// engine makes ends with or without a client's certificate.
type engine struct {
	client, server func(carrier net.Conn, mutual bool) end
}

func ours(folder string) engine {
	roots, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	must(err)
	configs := map[string]*flatssl.Config{}
	for _, role := range []string{"client", "server"} {
		file := filepath.Join(folder, role+".pem")
		own, err := flatssl.LoadCertificate(file, file)
		must(err)
		for _, mutual := range []bool{false, true} {
			config := &flatssl.Config{ServerName: "localhost",
				CipherSuites: "TLS_AES_128_GCM_SHA256", Groups: "X25519:P-256",
				SessionTicketsDisabled: true, MinVersion: tls.VersionTLS13}
			if role == "server" || mutual {
				config.Certificates = []flatssl.Certificate{own}
			}
			if role == "client" || mutual {
				config.Roots = roots
			}
			if role == "server" && mutual {
				config.ClientAuth = tls.RequireAndVerifyClientCert
			}
			configs[fmt.Sprint(role, mutual)] = config
		}
	}
	return engine{
		func(c net.Conn, mutual bool) end {
			return flatssl.Client(c, configs[fmt.Sprint("client", mutual)])
		},
		func(c net.Conn, mutual bool) end {
			return flatssl.Server(c, configs[fmt.Sprint("server", mutual)])
		},
	}
}

func theirs(folder string) engine {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	must(err)
	roots.AppendCertsFromPEM(pem)
	configs := map[string]*tls.Config{}
	for _, role := range []string{"client", "server"} {
		file := filepath.Join(folder, role+".pem")
		own, err := tls.LoadX509KeyPair(file, file)
		must(err)
		for _, mutual := range []bool{false, true} {
			config := &tls.Config{ServerName: "localhost", RootCAs: roots, ClientCAs: roots,
				CurvePreferences: []tls.CurveID{tls.X25519}, MinVersion: tls.VersionTLS13}
			if role == "server" || mutual {
				config.Certificates = []tls.Certificate{own}
			}
			if role == "server" && mutual {
				config.ClientAuth = tls.RequireAndVerifyClientCert
			}
			configs[fmt.Sprint(role, mutual)] = config
		}
	}
	return engine{
		func(c net.Conn, mutual bool) end {
			return tls.Client(c, configs[fmt.Sprint("client", mutual)])
		},
		func(c net.Conn, mutual bool) end {
			return tls.Server(c, configs[fmt.Sprint("server", mutual)])
		},
	}
}

// ---- carriers ----

// pipe holds what was written until it is read.
type pipe struct {
	sync.Mutex
	came sync.Cond
	data []byte
}

func newPipe() *pipe {
	p := &pipe{}
	p.came.L = p
	return p
}

// memory is an end of two pipes.
type memory struct {
	net.Conn // for the methods that nobody calls
	in, out  *pipe
}

func (m *memory) Read(b []byte) (int, error) {
	m.in.Lock()
	defer m.in.Unlock()
	for len(m.in.data) == 0 {
		m.in.came.Wait()
	}
	n := copy(b, m.in.data)
	m.in.data = m.in.data[:copy(m.in.data, m.in.data[n:])]
	return n, nil
}

func (m *memory) Write(b []byte) (int, error) {
	m.out.Lock()
	defer m.out.Unlock()
	m.out.data = append(m.out.data, b...)
	m.out.came.Signal()
	return len(b), nil
}

func (m *memory) Close() error                     { return nil }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

func carriers(way string) (near, far net.Conn) {
	if way == "memory" {
		forth, back := newPipe(), newPipe()
		return &memory{in: back, out: forth}, &memory{in: forth, out: back}
	}
	near, err := net.Dial("tcp", listener.Addr().String())
	must(err)
	far, err = listener.Accept()
	must(err)
	return near, far
}

// ---- links ----

type link struct {
	client, server end
	near, far      net.Conn
}

func open(e engine, way string, mutual bool) *link {
	l := &link{}
	l.near, l.far = carriers(way)
	l.client, l.server = e.client(l.near, mutual), e.server(l.far, mutual)
	done := make(chan error)
	go func() { done <- l.server.Handshake() }()
	must(l.client.Handshake())
	must(<-done)
	return l
}

func (l *link) close() {
	l.near.Close()
	l.far.Close()
	l.client.Close()
	l.server.Close()
}

func carry(from, to end, message, received []byte) {
	if len(message) <= longest {
		_, err := from.Write(message)
		must(err)
	} else {
		go from.Write(message)
	}
	_, err := io.ReadFull(to, received[:len(message)])
	must(err)
}

// agreed is what both ends must have negotiated. That the group is X25519, crypto/tls and flatssl
// were told; they would fail without it.
func agreed(ends ...end) {
	for _, e := range ends {
		if e.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
			panic(errors.New("the cipher"))
		}
	}
}

func processor() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func main() {
	e := theirs(os.Args[2])
	if os.Args[1] == "flatssl" {
		e = ours(os.Args[2])
	}
	var err error
	listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(err)
	kept, received := map[string]*link{}, make([]byte, 1<<20)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var subject string
		var count int
		fmt.Sscan(input.Text(), &subject, &count)
		at := strings.LastIndex(subject, "_")
		what, way := subject[:at], subject[at+1:]
		l := kept[way]
		if l == nil {
			l = open(e, way, false)
			agreed(l.client, l.server)
			carry(l.client, l.server, []byte("x"), received)
			carry(l.server, l.client, []byte("x"), received)
			kept[way] = l
		}
		message := make([]byte, 64)
		if size := sizes[strings.TrimPrefix(what, "bulk_")]; size > 0 {
			message = make([]byte, size)
		}
		start := processor()
		for i := 0; i < count; i++ {
			switch what {
			case "handshake", "mutual":
				open(e, way, what == "mutual").close()
			case "echo":
				carry(l.client, l.server, message, received)
				carry(l.server, l.client, message, received)
			default:
				carry(l.client, l.server, message, received)
			}
		}
		fmt.Println(processor() - start)
	}
}

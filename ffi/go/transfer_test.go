package flatssl_test

// Much data, checked by its hash.

import (
	"crypto/sha256"
	"crypto/tls"
	"hash"
	"io"
	"math/rand"
	"net"
	"testing"

	"flatssl"
)

const transferSize = 64 << 20

func noise(size int) []byte {
	data := make([]byte, size)
	rand.New(rand.NewSource(1)).Read(data)
	return data
}

// write sends a stream in pieces of any size, and tells its hash.
func write(to io.Writer, size int, seed int64, done chan<- []byte) {
	random := rand.New(rand.NewSource(seed))
	data := noise(1 << 20)
	sum := sha256.New()
	for size > 0 {
		piece := data[:1+random.Intn(min(size, len(data)))]
		if random.Intn(2) == 0 {
			piece = piece[:1+len(piece)/1000]
		}
		n, err := to.Write(piece)
		sum.Write(piece[:n])
		size -= n
		if err != nil {
			break
		}
	}
	done <- sum.Sum(nil)
}

func read(from io.Reader, size int, seed int64, done chan<- []byte) {
	random := rand.New(rand.NewSource(seed))
	buf := make([]byte, 200_000)
	var sum hash.Hash = sha256.New()
	for size > 0 {
		n, err := from.Read(buf[:1+random.Intn(len(buf))])
		sum.Write(buf[:n])
		size -= n
		if err != nil {
			break
		}
	}
	done <- sum.Sum(nil)
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// Both directions at once, over each engine at the other end.
func TestTransfer(t *testing.T) {
	world(t)
	our := ourServer(&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	their := theirServer(&tls.Config{Certificates: []tls.Certificate{serverID.theirs}})
	for name, server := range map[string]func(net.Conn) end{"ours": our, "theirs": their} {
		t.Run(name, func(t *testing.T) {
			client, server := greeted(t,
				ourClient(&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"}), server)
			var sums [4]chan []byte
			for i := range sums {
				sums[i] = make(chan []byte, 1)
			}
			go write(client, transferSize, 1, sums[0])
			go read(server, transferSize, 2, sums[1])
			go write(server, transferSize, 3, sums[2])
			go read(client, transferSize, 4, sums[3])
			for i := 0; i < len(sums); i += 2 {
				if sent, got := <-sums[i], <-sums[i+1]; string(sent) != string(got) {
					t.Errorf("sent %x, got %x", sent, got)
				}
			}
		})
	}
}

// One byte at a time comes through as a whole.
func TestTinyPieces(t *testing.T) {
	world(t)
	near, far := sockets(t)
	client := flatssl.Client(&drops{near},
		&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"})
	server := flatssl.Server(&drops{far},
		&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})
	defer near.Close()
	defer far.Close()
	cerr, serr := handshakes(client, server)
	must(t, cerr)
	must(t, serr)
	text := string(noise(20_000))
	say(t, client, server, text)
	say(t, server, client, text)
}

// drops is a carrier that gives one byte at a time.
type drops struct{ net.Conn }

func (d *drops) Read(b []byte) (int, error) {
	return d.Conn.Read(b[:min(1, len(b))])
}

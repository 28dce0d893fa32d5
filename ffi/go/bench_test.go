package flatssl_test

// flatssl beside crypto/tls: go test -bench . -run ^$

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"flatssl"
)

type engine struct {
	name           string
	client, server func(net.Conn) end
}

func engines(b *testing.B) []engine {
	world(b)
	return []engine{
		{"flatssl", ourClient(&flatssl.Config{Roots: trusted.pem, ServerName: "localhost"}),
			ourServer(&flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours}})},
		{"crypto-tls", theirClient(&tls.Config{RootCAs: trusted.pool, ServerName: "localhost"}),
			theirServer(&tls.Config{Certificates: []tls.Certificate{serverID.theirs}})},
	}
}

func BenchmarkHandshake(b *testing.B) {
	for _, e := range engines(b) {
		b.Run(e.name, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				near, far := sockets(b)
				cerr, serr := handshakes(e.client(near), e.server(far))
				must(b, cerr)
				must(b, serr)
				near.Close()
				far.Close()
			}
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	for _, e := range engines(b) {
		b.Run(e.name, func(b *testing.B) {
			client, server := greeted(b, e.client, e.server)
			go io.CopyBuffer(struct{ io.Writer }{server}, struct{ io.Reader }{server},
				make([]byte, 100))
			buf := make([]byte, 100)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				_, err := client.Write(buf)
				must(b, err)
				_, err = io.ReadFull(client, buf)
				must(b, err)
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	for _, e := range engines(b) {
		b.Run(e.name, func(b *testing.B) {
			client, server := greeted(b, e.client, e.server)
			go io.CopyBuffer(io.Discard, struct{ io.Reader }{server}, make([]byte, 64<<10))
			buf := make([]byte, 256<<10)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i++ {
				_, err := client.Write(buf)
				must(b, err)
			}
		})
	}
}

package flatssl_test

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"flatssl"
)

// Each name gets its own certificate, authority for clients and protocols.
func TestGetConfigForClient(t *testing.T) {
	world(t)
	other := trusted.issue(t, ecKey(t), leaf("other.example"))
	unknown := errors.New("unknown name")
	var seen *tls.ClientHelloInfo
	var server *flatssl.Config
	server = &flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*flatssl.Config, error) {
			time.Sleep(soon) // it may take its time
			seen = hello
			switch hello.ServerName {
			case "localhost":
				return nil, nil
			case "other.example":
				return &flatssl.Config{Certificates: []flatssl.Certificate{other.ours},
					ClientAuth: tls.RequireAndVerifyClientCert, Roots: trusted.pem,
					NextProtos: []string{"b"}}, nil
			case "bad.example":
				return &flatssl.Config{}, nil
			}
			return nil, unknown
		}}
	cases := []struct {
		name   string
		client tls.Config
		id     identity
		proto  string
		err    error
	}{
		{"localhost", tls.Config{}, serverID, "", nil},
		{"other.example", tls.Config{Certificates: []tls.Certificate{clientID.theirs},
			NextProtos: []string{"a", "b"}}, other, "b", nil},
		{"other.example", tls.Config{}, identity{}, "", flatssl.CodeVerify},
		{"bad.example", tls.Config{}, identity{}, "", flatssl.CodeState},
		{"no.example", tls.Config{}, identity{}, "", unknown},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			c.client.RootCAs, c.client.ServerName = trusted.pool, c.name
			client, end := pair(t, theirClient(&c.client), ourServer(server))
			told, err := handshakes(client, end)
			if seen.ServerName != c.name || len(seen.SupportedProtos) != len(c.client.NextProtos) ||
				len(seen.CipherSuites) == 0 || seen.SupportedVersions[0] != tls.VersionTLS13 ||
				len(seen.SupportedCurves) == 0 || len(seen.SignatureSchemes) == 0 {
				t.Errorf("hello: %+v", seen)
			}
			if c.err != nil {
				if !errors.Is(err, c.err) || told == nil {
					t.Errorf("server: %v, client: %v", err, told)
				}
				return
			}
			must(t, err)
			must(t, told)
			expectPeer(t, client.ConnectionState(), c.id)
			if proto := client.ConnectionState().NegotiatedProtocol; proto != c.proto {
				t.Errorf("protocol %q", proto)
			}
		})
	}
}

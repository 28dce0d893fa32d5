package flatssl_test

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flatssl"
)

// A bad Config is told by Listen, and by a client's handshake.
func TestBadConfig(t *testing.T) {
	world(t)
	good := []flatssl.Certificate{serverID.ours}
	mixed := []flatssl.Certificate{{Chain: serverID.ours.Chain, Key: clientID.ours.Key}}
	empty := []flatssl.Certificate{{}}
	cases := []struct {
		name   string
		config flatssl.Config
		code   flatssl.Code // 0 where the library was not asked
	}{
		{"two keys' halves", flatssl.Config{Certificates: mixed}, flatssl.CodeKeyMismatch},
		{"no PEM", flatssl.Config{Certificates: empty}, flatssl.CodeParse},
		{"bad roots", flatssl.Config{Certificates: good, Roots: []byte("roots")}, 0},
		{"bad cipher", flatssl.Config{Certificates: good, CipherList: "none"}, flatssl.CodeCipher},
		{"bad suite", flatssl.Config{Certificates: good, CipherSuites: "none"}, flatssl.CodeCipher},
		{"bad group", flatssl.Config{Certificates: good, Groups: "none"}, flatssl.CodeArgument},
		{"bad version", flatssl.Config{Certificates: good, MinVersion: 7}, flatssl.CodeArgument},
		{"long protocol", flatssl.Config{Certificates: good,
			NextProtos: []string{strings.Repeat("x", 256)}}, 0},
		{"empty protocol", flatssl.Config{Certificates: good, NextProtos: []string{""}}, 0},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			listener, err := flatssl.Listen("tcp", "127.0.0.1:0", &c.config)
			if err == nil {
				listener.Close()
				t.Fatal("no error")
			}
			c.config.ServerName = "localhost"
			near, _ := sockets(t)
			again := flatssl.Client(near, &c.config).Handshake()
			for _, err := range []error{err, again} {
				if err == nil || c.code != 0 && !errors.Is(err, c.code) {
					t.Errorf("got %v, want %v", err, c.code.String())
				}
				var e *flatssl.Error
				if errors.As(err, &e) && (e.Alert != -1 || e.VerifyCode != -1 || e.Errno != 0) {
					t.Errorf("alert %d, verify code %d, errno %d", e.Alert, e.VerifyCode, e.Errno)
				}
			}
		})
	}
}

func TestBadServerConfig(t *testing.T) {
	world(t)
	for name, config := range map[string]*flatssl.Config{
		"no certificate": {},
		"nil":            nil,
		"unverified client certificates": {
			Certificates: []flatssl.Certificate{serverID.ours},
			ClientAuth:   tls.RequireAnyClientCert},
	} {
		t.Run(name, func(t *testing.T) {
			if listener, err := flatssl.Listen("tcp", "127.0.0.1:0", config); err == nil {
				listener.Close()
				t.Error("no error")
			}
		})
	}
}

// A client that knows no host verifies nothing, so it does not begin; a bad host is no host.
func TestBadHost(t *testing.T) {
	world(t)
	for _, host := range []string{"", "a\x00b", "exämple.org", "localhost "} {
		near, _ := sockets(t)
		c := flatssl.Client(near, &flatssl.Config{Roots: trusted.pem, ServerName: host})
		err := c.Handshake()
		want := flatssl.CodeArgument
		if host == "" {
			want = flatssl.CodeState
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: %v", host, err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, want) {
			t.Errorf("%q: Write: %v", host, err)
		}
		must(t, c.Close())
	}
}

func TestPassphrase(t *testing.T) {
	world(t)
	key := filepath.Join(t.TempDir(), "key.pem")
	plain := filepath.Join(t.TempDir(), "plain.pem")
	must(t, os.WriteFile(plain, serverID.ours.Key, 0o600))
	run(t, "openssl", "pkcs8", "-topk8", "-in", plain, "-passout", "pass:secret", "-out", key)
	chain := filepath.Join(t.TempDir(), "chain.pem")
	must(t, os.WriteFile(chain, serverID.ours.Chain, 0o600))
	for passphrase, code := range map[string]flatssl.Code{
		"secret": 0, "wrong": flatssl.CodePassphraseWrong, "": flatssl.CodePassphraseNeeded} {
		certificate, err := flatssl.LoadCertificate(chain, key)
		must(t, err)
		certificate.Passphrase = []byte(passphrase)
		listener, err := flatssl.Listen("tcp", "127.0.0.1:0",
			&flatssl.Config{Certificates: []flatssl.Certificate{certificate}})
		if code != 0 && !errors.Is(err, code) || code == 0 && err != nil {
			t.Errorf("%q: %v", passphrase, err)
		}
		if err == nil {
			listener.Close()
		}
	}
	if _, err := flatssl.LoadCertificate(chain, filepath.Join(t.TempDir(), "no")); err == nil {
		t.Error("a key that is not there")
	}
}

// A server with two kinds of keys gives each client the one it can use.
func TestTwoCertificates(t *testing.T) {
	world(t)
	rsa := trusted.issue(t, rsaKey(t), leaf("localhost"))
	server := &flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours, rsa.ours}}
	for list, id := range map[string]identity{"ECDHE-RSA-AES128-GCM-SHA256": rsa,
		"ECDHE-ECDSA-AES128-GCM-SHA256": serverID} {
		c, _ := greeted(t, ourClient(&flatssl.Config{Roots: trusted.pem, ServerName: "localhost",
			MaxVersion: tls.VersionTLS12, CipherList: list}), ourServer(server))
		expectPeer(t, c.ConnectionState(), id)
	}
}

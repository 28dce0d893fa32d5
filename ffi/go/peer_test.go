package flatssl_test

// flatssl and crypto/tls, each at either end.

import (
	"crypto"
	"crypto/tls"
	"fmt"
	"testing"

	"flatssl"
)

type meeting struct {
	version uint16
	key     string
	mutual  bool
	oursIs  string
}

func meetings() []meeting {
	var all []meeting
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, key := range []string{"RSA", "ECDSA"} {
			for _, mutual := range []bool{false, true} {
				for _, side := range []string{"client", "server", "both"} {
					all = append(all, meeting{version, key, mutual, side})
				}
			}
		}
	}
	return all
}

func TestPeer(t *testing.T) {
	world(t)
	keys := map[string]func(testing.TB) crypto.Signer{"RSA": rsaKey, "ECDSA": ecKey}
	ids := map[string][2]identity{}
	for name, key := range keys {
		ids[name] = [2]identity{
			trusted.issue(t, key(t), leaf("localhost")), trusted.issue(t, key(t), leaf("client"))}
	}
	for _, m := range meetings() {
		name := fmt.Sprintf("%x %s mutual=%v ours=%s", m.version, m.key, m.mutual, m.oursIs)
		t.Run(name, func(t *testing.T) { meet(t, m, ids[m.key][0], ids[m.key][1]) })
	}
}

// configs returns what a meeting asks for, in both engines' terms.
func configs(m meeting, server, client identity) (
	ourC, ourS *flatssl.Config, goC, goS *tls.Config) {
	ourC = &flatssl.Config{Roots: trusted.pem, ServerName: "localhost",
		NextProtos: []string{"b", "a"}, MinVersion: m.version, MaxVersion: m.version}
	ourS = &flatssl.Config{Roots: trusted.pem, Certificates: []flatssl.Certificate{server.ours},
		NextProtos: []string{"a", "c"}, MinVersion: m.version, MaxVersion: m.version}
	goC = &tls.Config{RootCAs: trusted.pool, ServerName: "localhost",
		NextProtos: []string{"b", "a"}, MinVersion: m.version, MaxVersion: m.version}
	goS = &tls.Config{ClientCAs: trusted.pool, Certificates: []tls.Certificate{server.theirs},
		NextProtos: []string{"a", "c"}, MinVersion: m.version, MaxVersion: m.version}
	if m.mutual {
		ourC.Certificates = []flatssl.Certificate{client.ours}
		goC.Certificates = []tls.Certificate{client.theirs}
		ourS.ClientAuth = tls.RequireAndVerifyClientCert
		goS.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return ourC, ourS, goC, goS
}

func meet(t *testing.T, m meeting, serverID, clientID identity) {
	ourC, ourS, goC, goS := configs(m, serverID, clientID)
	client, server := ourClient(ourC), ourServer(ourS)
	if m.oursIs == "client" {
		server = theirServer(goS)
	}
	if m.oursIs == "server" {
		client = theirClient(goC)
	}
	c, s := greeted(t, client, server)
	say(t, c, s, "from the client")
	say(t, s, c, "from the server")

	seen, known := c.ConnectionState(), s.ConnectionState()
	for _, state := range []tls.ConnectionState{seen, known} {
		if state.Version != m.version || !state.HandshakeComplete || state.DidResume ||
			state.NegotiatedProtocol != "a" || state.ServerName != "localhost" {
			t.Errorf("state: %+v", state)
		}
	}
	if seen.CipherSuite != known.CipherSuite || seen.CipherSuite == 0 {
		t.Errorf("cipher suites %x and %x", seen.CipherSuite, known.CipherSuite)
	}
	expectPeer(t, seen, serverID)
	if m.mutual {
		expectPeer(t, known, clientID)
	} else if len(known.PeerCertificates) != 0 || len(known.VerifiedChains) != 0 {
		t.Error("a certificate of a client that has none")
	}
}

func expectPeer(t *testing.T, state tls.ConnectionState, id identity) {
	t.Helper()
	if len(state.PeerCertificates) != 1 || len(state.VerifiedChains) != 1 ||
		len(state.VerifiedChains[0]) != 2 {
		t.Fatalf("%d certificates, %d chains",
			len(state.PeerCertificates), len(state.VerifiedChains))
	}
	if string(state.PeerCertificates[0].Raw) != string(id.theirs.Certificate[0]) {
		t.Error("another certificate than the peer's")
	}
	if !state.VerifiedChains[0][1].Equal(trusted.cert) {
		t.Error("the chain does not end in the trusted authority")
	}
}

// Each suite that both engines have is reported by the same number.
func TestCipherSuites(t *testing.T) {
	world(t)
	ec := serverID
	rsa := trusted.issue(t, rsaKey(t), leaf("localhost"))
	for list, suite := range map[string]uint16{
		"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	} {
		t.Run(list, func(t *testing.T) {
			c, s := greeted(t, ourClient(&flatssl.Config{Roots: trusted.pem,
				ServerName: "localhost", MaxVersion: tls.VersionTLS12, CipherList: list}),
				theirServer(&tls.Config{Certificates: []tls.Certificate{ec.theirs, rsa.theirs}}))
			got, its := c.ConnectionState().CipherSuite, s.ConnectionState().CipherSuite
			if got != suite || its != suite {
				t.Errorf("suites %x and %x, want %x", got, its, suite)
			}
			if got := c.(*flatssl.Conn).CipherName(); got != list {
				t.Errorf("name %q, want %q", got, list)
			}
		})
	}
}

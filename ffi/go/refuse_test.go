package flatssl_test

// What must not succeed.

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"flatssl"
)

const ( // of OpenSSL
	hostMismatch  = 62
	ipMismatch    = 64
	expired       = 10
	noLocalIssuer = 20
)

const ( // of TLS
	alertNone    = -1
	alertBadCert = 42
	alertVersion = 70
	alertNoProto = 120
)

func TestClientRefuses(t *testing.T) {
	world(t)
	stranger := newAuthority(t, "Stranger")
	old := leaf("localhost")
	old.NotAfter = time.Now().Add(-time.Minute)
	late := trusted.issue(t, ecKey(t), old)
	cases := []struct {
		name   string
		host   string
		roots  []byte
		server identity
		code   flatssl.Code
		verify int
	}{
		{"nothing", "localhost", trusted.pem, serverID, 0, 0},
		{"nothing of an address", "127.0.0.1", trusted.pem, serverID, 0, 0},
		{"another host", "example.org", trusted.pem, serverID, flatssl.CodeHost, hostMismatch},
		{"another address", "127.0.0.2", trusted.pem, serverID, flatssl.CodeHost, ipMismatch},
		{"a stranger's", "localhost", stranger.pem, serverID, flatssl.CodeVerify, noLocalIssuer},
		{"one not of the system", "localhost", nil, serverID, flatssl.CodeVerify, noLocalIssuer},
		{"an old one", "localhost", trusted.pem, late, flatssl.CodeVerify, expired},
	}
	for _, c := range cases {
		c := c
		t.Run(c.name, func(t *testing.T) {
			client, server := pair(t,
				ourClient(&flatssl.Config{Roots: c.roots, ServerName: c.host}),
				theirServer(&tls.Config{Certificates: []tls.Certificate{c.server.theirs}}))
			err, theirs := handshakes(client, server)
			if c.code == 0 {
				must(t, err)
				return
			}
			expectError(t, err, c.code, c.verify, alertNone)
			if theirs == nil {
				t.Error("the server was not told")
			}
		})
	}
}

func TestSkipVerify(t *testing.T) {
	world(t)
	greeted(t, ourClient(&flatssl.Config{InsecureSkipVerify: true}),
		theirServer(&tls.Config{Certificates: []tls.Certificate{serverID.theirs}}))
}

func TestServerRefuses(t *testing.T) {
	world(t)
	stranger := newAuthority(t, "Stranger").issue(t, ecKey(t), leaf("client"))
	none := identity{}
	cases := []struct {
		name   string
		auth   tls.ClientAuthType
		client identity
		code   flatssl.Code
	}{
		{"none, and none is asked for", tls.NoClientCert, none, 0},
		{"none, but one is wanted", tls.VerifyClientCertIfGiven, none, 0},
		{"none, but one is needed", tls.RequireAndVerifyClientCert, none, flatssl.CodeVerify},
		{"a stranger's", tls.VerifyClientCertIfGiven, stranger, flatssl.CodeVerify},
		{"a trusted one", tls.RequireAndVerifyClientCert, clientID, 0},
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range cases {
			c := c
			t.Run(fmt.Sprintf("%x %s", version, c.name), func(t *testing.T) {
				show := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &c.client.theirs, nil
				}
				theirs := &tls.Config{RootCAs: trusted.pool, ServerName: "localhost",
					MaxVersion: version, GetClientCertificate: show}
				client, server := pair(t, theirClient(theirs), ourServer(&flatssl.Config{
					Certificates: []flatssl.Certificate{serverID.ours},
					Roots:        trusted.pem, ClientAuth: c.auth}))
				told, err := handshakes(client, server)
				if c.code == 0 {
					must(t, told)
					must(t, err)
					return
				}
				if !errors.Is(err, c.code) || told == nil {
					t.Errorf("server: %v, client: %v", err, told)
				}
			})
		}
	}
}

// What the peer thinks of us comes as an alert, with its number.
func TestAlerts(t *testing.T) {
	world(t)
	distrusting := errors.New("not you")
	cases := []struct {
		name   string
		client flatssl.Config
		server tls.Config
		alert  int
	}{
		{"certificate", flatssl.Config{Certificates: []flatssl.Certificate{clientID.ours}},
			tls.Config{ClientAuth: tls.RequireAnyClientCert,
				VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error {
					return distrusting
				}},
			alertBadCert},
		{"version", flatssl.Config{MaxVersion: tls.VersionTLS12},
			tls.Config{MinVersion: tls.VersionTLS13}, alertVersion},
		{"protocol", flatssl.Config{NextProtos: []string{"unknown"}},
			tls.Config{NextProtos: []string{"known"}}, alertNoProto},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			c.client.Roots, c.client.ServerName = trusted.pem, "localhost"
			c.server.Certificates = []tls.Certificate{serverID.theirs}
			client, server := pair(t, ourClient(&c.client), theirServer(&c.server))
			err, _ := handshakes(client, server)
			expectError(t, err, flatssl.CodeAlert, -1, c.alert)
		})
	}
}

func expectError(t *testing.T, err error, code flatssl.Code, verify, alert int) {
	t.Helper()
	var e *flatssl.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %v", err, code.String())
	}
	if e.Code != code || e.Kind != code.Kind() || !errors.Is(err, code) ||
		errors.Is(err, flatssl.CodeMemory) {
		t.Errorf("got %v (%v), want %v", e.Code.String(), err, code.String())
	}
	if e.VerifyCode != verify || e.Alert != alert || e.Errno != 0 {
		t.Errorf("verify code %d, alert %d, errno %d", e.VerifyCode, e.Alert, e.Errno)
	}
	if len(e.Lines) == 0 || e.Lines[0].Reason == "" ||
		!strings.Contains(e.Error(), e.Lines[0].Reason) {
		t.Errorf("lines %+v of %q", e.Lines, e.Error())
	}
}

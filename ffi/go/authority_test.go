package flatssl_test

// Certificates for the tests, made when a test needs them.

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"flatssl"
)

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
	pool *x509.CertPool
}

// identity is one certificate, in the forms that both engines take.
type identity struct {
	ours   flatssl.Certificate
	theirs tls.Certificate
}

var (
	once     sync.Once
	trusted  *authority
	serverID identity
	clientID identity
)

// world makes what most tests share: an authority, a server for localhost, and a client.
func world(t testing.TB) {
	once.Do(func() {
		trusted = newAuthority(t, "Trusted CA")
		serverID = trusted.issue(t, ecKey(t), leaf("localhost"))
		clientID = trusted.issue(t, ecKey(t), leaf("client"))
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func rsaKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return key
}

// leaf describes a certificate for a DNS name and, for localhost, its addresses.
func leaf(name string) *x509.Certificate {
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(time.Hour),
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	return template
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	key := ecKey(t)
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		IsCA:      true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().Add(time.Hour),
	}
	der := sign(t, template, template, key, key)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	a := &authority{cert: cert, key: key, pem: block("CERTIFICATE", der), pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

func (a *authority) issue(t testing.TB, key crypto.Signer, template *x509.Certificate) identity {
	t.Helper()
	chain := block("CERTIFICATE", sign(t, template, a.cert, key, a.key))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	id := identity{ours: flatssl.Certificate{Chain: chain, Key: block("PRIVATE KEY", der)}}
	id.theirs, err = tls.X509KeyPair(chain, id.ours.Key)
	must(t, err)
	return id
}

func sign(t testing.TB, template, issuer *x509.Certificate, key, issuerKey crypto.Signer) []byte {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	id := sha256.Sum256(public)
	template.SubjectKeyId = id[:20]
	template.BasicConstraintsValid = true
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	must(t, err)
	return der
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
